// What the emulator runs: it says which messages it could not take, refuses whole batches, or answers what it got.
exports.take = async (event) => {
  if (event.Records === undefined) {
    if (event.fail) throw new Error(event.fail);
    return { got: event };
  }
  const bodies = event.Records.map((record) => record.body);
  if (bodies.includes("refuse")) throw new Error("refused");
  return {
    batchItemFailures: event.Records.filter((record) => record.body === "again" &&
      record.attributes.ApproximateReceiveCount === "1").map((record) => ({ itemIdentifier: record.messageId })),
  };
};
