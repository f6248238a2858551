"""What can go wrong while a badge is made.

    RenderError
    |- InvalidRequest        the person can correct it: other words, another file, another option
    |  `- NotUnderstood      the object is in words or a language that are not understood; it has what a dialogue needs
    |     `- UnknownThing    the object is no thing that the profile's vocabulary holds; `near` are things that it does
    |  `- InvalidSettings    the request is fine, but the settings ask for what the model refuses
    |- BackendUnavailable    this generator cannot draw now (no weights, no memory, Replicate down, quota); another may
    |  `- OperatorNeeded     nor will it until the operator has acted: no credit, a refused token, a used up budget
    |- RenderFailed          drawing or writing failed, and trying the same again may or may not help
    |  `- BlankPicture       what came back holds no picture: values that are no numbers, or one single colour
    |- PictureRefused        the portrait is one that the operator does not want to be shown
    |- Canceled              somebody asked to stop; nothing was lost

Errors of torch, diffusers, Pillow and HTTP clients are translated at the boundary with `raise ... from`. A message
says what was wrong, which value, and what to do next, in one line and without any token. Only `BackendUnavailable`
makes another generator take over.
"""


class RenderError(Exception):
    """Base of all errors of `inference`."""


class InvalidRequest(RenderError):
    """The request itself is wrong; the message tells the person what to change."""


class NotUnderstood(InvalidRequest):
    """What the person named is not understood, so it is asked again rather than drawn as noise.

    `thing` is all that was said, `unknown` the words that were not known, `near` known words spelt much like them,
    `language` the language it seems to be in ("" where that is not the trouble).
    """

    def __init__(
        self,
        message: str,
        thing: str = "",
        unknown: tuple[str, ...] = (),
        near: tuple[str, ...] = (),
        language: str = "",
    ) -> None:
        super().__init__(message)
        self.thing = thing
        self.unknown = unknown
        self.near = near
        self.language = language


class UnknownThing(NotUnderstood):
    """The model draws only the things of its vocabulary, and nothing in the request is one of them."""


class InvalidSettings(InvalidRequest):
    """The model refuses what the settings ask for; other words do not help, the operator has to change them."""


class BackendUnavailable(RenderError):
    """The chosen generator cannot draw at present; another generator may."""


class OperatorNeeded(BackendUnavailable):
    """The generator cannot draw until the operator has acted; waiting or other words do not help."""


class RenderFailed(RenderError):
    """Drawing or writing failed for a reason that is neither the request's nor a missing backend's."""


class BlankPicture(RenderFailed):
    """A generator returned something that is no picture. It is neither kept nor handed on."""


class PictureRefused(RenderError):
    """The picture filter keeps this portrait back; other words or another seed may help."""


class Canceled(RenderError):
    """Raised by a step callback to stop a drawing; generators let it pass unchanged."""
