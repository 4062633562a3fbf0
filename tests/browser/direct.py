"""Two pages with the same cameras and settings, connected with one another: what a call would be without an agent."""

import json

from .chromium import Chromium

SENDING = {"maxBitrate": 1_000_000, "maxFramerate": 25, "scalabilityMode": "L1T3"}
"""As the page of the offering side has it."""
BEGIN = """(async () => {
  const { openCamera } = await import("/pages/camera.js");
  const { Leg } = await import("/pages/leg.js");
  const { Pictures } = await import("/pages/pictures.js");
  const at = id => document.getElementById(id);
  window.direct = { pictures: new Pictures(at("pictures"), at("nobody")), stream: await openCamera() };
  direct.shown = { others: streams => direct.others(streams), media: () => {}, refused: () => {} };
  direct.others = streams => { direct.pictures.use(streams); direct.pictures.live(true); };
  direct.signalling = { welcomed: async () => {}, send: (name, values) => (direct.offer = values, true) };
  direct.leg = new Leg(direct.signalling, direct.shown);
  direct.answerTo = async sdp => {
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    const streams = new Map();
    connection.ontrack = ({ streams: [stream] }) => streams.set(stream.id, stream);
    for (const track of direct.stream.getTracks()) connection.addTrack(track, direct.stream);
    await connection.setRemoteDescription({ type: "offer", sdp });
    for (const sender of connection.getSenders().filter(one => one.track.kind === "video")) {
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) Object.assign(encoding, SENDING);
      await sender.setParameters(parameters);
    }
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== "complete") await new Promise(go => setTimeout(go, 20));
    direct.others([...streams.values()]);
    return connection.localDescription.sdp;
  };
  return true;
})()""".replace("SENDING", json.dumps(SENDING))


def connect(url: str, offering: Chromium, answering: Chromium) -> None:
    """`url`: of a server whose pages are used without a call's link."""
    for browser in (offering, answering):
        browser.open(f"{url}/family")
        browser.run("sessionStorage.clear()")
        browser.run(BEGIN)
    offering.run("(direct.leg.keep(direct.stream), true)")
    offer = offering.until("window.direct.offer")
    answer = answering.run(f"direct.answerTo({json.dumps(offer['sdp'])})")
    message = {"kind": "Answer", "offer_id": offer["offer_id"], "sdp": answer}
    offering.run(f"(direct.leg.take({json.dumps(message)}), true)")
