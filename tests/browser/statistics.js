// For tests: keeps each peer connection of the page and what its getStats says of what it receives, ten times a second.

(() => {
  const Real = RTCPeerConnection;
  const seen = (window.seen = { connections: [], samples: [] });
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      seen.connections.push(this);
    }
  };
  const WANTED = ["kind", "mid", "packetsReceived", "bytesReceived", "packetsLost", "framesDecoded", "freezeCount",
    "totalFreezesDuration", "totalAudioEnergy", "totalSamplesReceived", "concealedSamples", "silentConcealedSamples",
    "frameWidth", "frameHeight", "jitterBufferDelay", "jitterBufferEmittedCount", "nackCount"];
  async function sample() {
    const connection = seen.connections.at(-1);
    if (!connection || connection.connectionState !== "connected") return;
    const at = performance.now();
    const rows = [];
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      const row = { type: report.type };
      for (const name of WANTED) if (report[name] !== undefined) row[name] = report[name];
      rows.push(row);
    }
    seen.samples.push({ at, rows });
  }
  setInterval(sample, 100);
})();
