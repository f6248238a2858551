"""The section `[training]`: what a LoRA run does when the command line does not say otherwise."""

from pydantic import Field

from configs.sections import Section


class TrainingSettings(Section):
    """The recipe. Learning rate as AdamW's; steps are optimizer steps."""

    steps: int = Field(ge=1, le=100_000)
    learning_rate: float = Field(gt=0, le=1)
    rank: int = Field(ge=1, le=512)
