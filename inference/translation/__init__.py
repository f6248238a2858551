"""The parts of `inference/translate.py`: scripts, word forms, the glossary, phrases, English plurals, Marian."""
