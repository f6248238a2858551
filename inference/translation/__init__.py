"""What was typed, in English: `understand` over scripts, word forms, the glossary, phrases, English, Marian."""
