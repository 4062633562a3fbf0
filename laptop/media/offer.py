"""Reads a peer's WebRTC offer: what of it this agent carries, or why it carries none of it; completes the answer."""

import re
from dataclasses import dataclass

from aiortc.sdp import MediaDescription, SessionDescription

CODECS = {"audio": "audio/opus", "video": "video/VP8"}
PAIRS_MAX = 4
SENDING = ("sendrecv", "sendonly")


class OfferError(Exception):
    """The offer can't be taken; says why."""


@dataclass(frozen=True)
class Offer:
    """`kinds`: of its m-lines in their order, as many sounds as pictures; the first of each carries both ways, the
    others only to the peer. `sdp`: as aiortc can take it."""

    kinds: tuple[str, ...]
    sdp: str

    @property
    def pairs(self) -> int:
        return self.kinds.count("video")


def read(sdp: str) -> Offer:
    """OfferError for what can't be read, is no pair of Opus and VP8, or has more pairs than a call has other legs."""
    try:
        offer = SessionDescription.parse(sdp)
    except Exception as error:  # the parser raises whatever a malformed line makes it stumble over
        raise OfferError(f"the offer can't be read: {str(error)[:200]}") from error
    kinds = tuple(media.kind for media in offer.media)
    if set(kinds) != {"audio", "video"} or kinds.count("audio") != kinds.count("video"):
        raise OfferError(
            f"sound and picture are carried in pairs, the offer has: {', '.join(kinds) or 'nothing'}"[:300]
        )
    if kinds.count("video") > PAIRS_MAX:
        raise OfferError(f"at most {PAIRS_MAX} pairs of sound and picture are carried, the offer has {len(kinds) // 2}")
    mids = [media.rtp.muxId for media in offer.media]
    if not all(mids) or len(set(mids)) != len(mids):
        raise OfferError("each sound and picture needs an identification of its own (a=mid)")
    for kind in CODECS:
        first = offer.media[kinds.index(kind)]
        if first.direction not in SENDING:
            raise OfferError(f"the device has to send its {'sound' if kind == 'audio' else 'picture'}")
    for media in offer.media:
        _check(media)
    return Offer(kinds, _with_candidates_last(sdp, offer))


def _check(media: MediaDescription) -> None:
    if media.dtls is None or not media.dtls.fingerprints:
        raise OfferError("the offer names no key to encrypt for (a=fingerprint)")
    names = {codec.mimeType.lower() for codec in media.rtp.codecs}
    if CODECS[media.kind].lower() not in names:
        wanted = CODECS[media.kind].partition("/")[2]
        raise OfferError(f"only {wanted} is carried as {media.kind}; the offer has {', '.join(sorted(names))}"[:300])


def _with_candidates_last(sdp: str, offer: SessionDescription) -> str:
    """A browser names its candidates in the first m-line of a bundle only; aiortc reads those of the last."""
    if offer.media[-1].ice_candidates or not any(media.ice_candidates for media in offer.media):
        return sdp
    lines = sdp.splitlines()
    candidates = [line for line in lines if line.startswith(("a=candidate:", "a=end-of-candidates"))]
    return "\r\n".join([*lines, *candidates]) + "\r\n"


def with_error_correction(answer: str) -> str:
    """aiortc's answer, completed: each Opus packet is to carry the one before it once more, coarsely, while packets get
    lost (RFC 7587, 6.1). aiortc itself says nothing of it, and then browsers leave it out."""
    return re.sub(
        r"(a=rtpmap:(\d+) opus/48000/2\r\n)(?!a=fmtp:\2 )", r"\1a=fmtp:\2 minptime=10;useinbandfec=1\r\n", answer
    )
