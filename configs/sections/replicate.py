"""The section `[replicate]`: drawing and training through Replicate."""

from configs.sections import Section


class ReplicateSettings(Section):
    """Replicate's side. `model` is `owner/name` or `owner/name:version`; "" means not configured."""

    model: str
