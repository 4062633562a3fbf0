"""What of a peer's offer the agent carries, and the words for what it does not."""

import pytest

from laptop.media.offer import OfferError, read, with_error_correction

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
TRANSPORT = (
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=rtcp-mux\r\n"
)
CANDIDATE = "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n"
RTPMAP = {"opus": "96 opus/48000/2", "VP8": "97 VP8/90000", "H264": "98 H264/90000"}


def media(mid: str, codec: str, direction: str = "sendrecv", more: str = "") -> str:
    number = RTPMAP[codec].split()[0]
    kind = "audio" if codec == "opus" else "video"
    return (
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {number}\r\n{TRANSPORT}a=mid:{mid}\r\na={direction}\r\n"
        f"a=rtpmap:{RTPMAP[codec]}\r\n{more}"
    )


def pairs(count: int) -> str:
    further = "".join(media(f"a{n}", "opus", "recvonly") + media(f"v{n}", "VP8", "recvonly") for n in range(1, count))
    return HEAD + media("a0", "opus") + media("v0", "VP8") + further


@pytest.mark.parametrize("count", [1, 2, 4])
def test_one_to_four_pairs_are_taken(count: int) -> None:
    offer = read(pairs(count))
    assert offer.pairs == count and offer.kinds == ("audio", "video") * count


@pytest.mark.parametrize(
    ("sdp", "words"),
    [
        ("nonsense", "in pairs, the offer has: nothing"),
        ("v=0\r\nm=audio x y", "can't be read"),
        (pairs(5), "at most 4 pairs"),
        (HEAD + media("0", "VP8"), "in pairs, the offer has: video"),
        (HEAD + media("0", "opus"), "in pairs, the offer has: audio"),
        (pairs(1) + media("2", "VP8"), "in pairs"),
        (pairs(1) + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n", "application"),
        (HEAD + media("0", "opus") + media("1", "H264"), "only VP8 is carried as video; the offer has video/h264"),
        (HEAD + media("0", "opus") + media("0", "VP8"), "an identification of its own"),
        (pairs(1).replace("a=fingerprint", "a=finger"), "names no key"),
        (HEAD + media("0", "opus", "recvonly") + media("1", "VP8"), "has to send its sound"),
        (HEAD + media("0", "opus") + media("1", "VP8", "inactive"), "has to send its picture"),
    ],
)
def test_what_is_not_carried_is_said(sdp: str, words: str) -> None:
    with pytest.raises(OfferError, match=words):
        read(sdp)


def test_candidates_that_a_browser_names_once_hold_for_the_whole_connection() -> None:
    sdp = HEAD + media("a0", "opus", more=CANDIDATE) + media("v0", "VP8")
    assert read(sdp).sdp.endswith(CANDIDATE)
    whole = HEAD + media("a0", "opus", more=CANDIDATE) + media("v0", "VP8", more=CANDIDATE)
    assert read(whole).sdp == whole


def test_the_answer_asks_opus_for_error_correction_once() -> None:
    answer = HEAD + media("a0", "opus") + media("v0", "VP8")
    completed = with_error_correction(answer)
    assert completed.count("a=rtpmap:96 opus/48000/2\r\na=fmtp:96 minptime=10;useinbandfec=1\r\n") == 1
    assert with_error_correction(completed) == completed
    assert completed.replace("a=fmtp:96 minptime=10;useinbandfec=1\r\n", "") == answer
