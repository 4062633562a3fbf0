// For tests: keeps each peer connection of the page and what its getStats says, ten times a second.

(() => {
  const Real = RTCPeerConnection;
  const seen = (window.seen = { connections: [], samples: [] });
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      seen.connections.push(this);
    }
  };
  const WANTED = {
    "inbound-rtp": ["kind", "mid", "packetsReceived", "bytesReceived", "packetsLost", "framesDecoded", "framesDropped", "freezeCount",
      "totalFreezesDuration", "totalAudioEnergy", "totalSamplesReceived", "concealedSamples", "silentConcealedSamples",
      "frameWidth", "frameHeight", "framesPerSecond", "keyFramesDecoded", "jitterBufferDelay", "nackCount",
      "jitterBufferEmittedCount", "retransmittedPacketsReceived", "pliCount", "estimatedPlayoutTimestamp"],
    "outbound-rtp": ["kind", "mid", "packetsSent", "framesEncoded", "frameWidth", "frameHeight", "framesPerSecond",
      "nackCount", "pliCount", "targetBitrate", "bytesSent", "retransmittedPacketsSent", "qualityLimitationReason"],
    "candidate-pair": ["nominated", "currentRoundTripTime", "availableOutgoingBitrate"],
  };
  async function sample() {
    const connection = seen.connections.at(-1);
    if (!connection || connection.connectionState !== "connected") return;
    const at = performance.now();
    const rows = [];
    for (const report of (await connection.getStats()).values()) {
      const wanted = WANTED[report.type];
      if (!wanted || (report.type === "candidate-pair" && !report.nominated)) continue;
      const row = { type: report.type };
      for (const name of wanted) if (report[name] !== undefined) row[name] = report[name];
      rows.push(row);
    }
    seen.samples.push({ at, rows });
  }
  setInterval(sample, 100);
})();
