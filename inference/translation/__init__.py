"""What was typed, in English: `understand.py` over scripts, word forms, the glossary, phrases, English plurals, Marian."""
