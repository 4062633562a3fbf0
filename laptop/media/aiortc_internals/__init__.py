"""Every private name of aiortc and aioice that the agent uses, in one package, checked at the start.

What is done with them, and why no public way exists (aiortc 1.16):
- a connection's RTP is taken where it comes in and sent where it goes out, as bytes and within one callback: aiortc's
  own way goes through a queue, two tasks and two packet objects, and costs four times as much;
- its statistics are ours, so that RTCP reports are right; NACK and key frame requests are sent by its own means;
- a sender answers NACK from our history, passes key frame requests on, and its own loop (which polls 50 times a second
  without a track) rests; what a far peer reports (loss, REMB) and a source's sender reports are read in passing;
- the msid of a sender names the leg whose media it carries;
- host candidates come from the address that we choose (aioice leaves 127.0.0.1 out).
ICE, DTLS, RTCP and everything that is no RTP packet stay with aiortc.
"""
