// The function: what it is told to, with what it was told about itself.
exports.handler = async (event, context) => {
  if (event.fail) throw new TypeError(event.fail);
  if (event.Records) {
    return { batchItemFailures: event.Records.filter((record) => record.body === "refuse")
      .map((record) => ({ itemIdentifier: record.messageId })) };
  }
  console.log("heard", event.say);
  return { heard: event.say, name: context.functionName, arn: context.invokedFunctionArn,
           id: context.awsRequestId, left: context.getRemainingTimeInMillis(), client: context.clientContext };
};
