/// Everything that a client is told about the API, put together once per start.
struct APIReference: Sendable {
    let operations: [OperationReference]
    let parameters: [ParameterReference]
    /// The objects of requests, then those of answers.
    let requestObjects: [RequestReference.Named]
    let answerObjects: [RequestReference.Named]
    let errors: [ErrorReference]

    /// The reference of a gateway.
    init(_ limits: ReferenceLimits) {
        operations = Route.allCases.map(OperationReference.init)
        parameters = ParameterReference.all(limits)
        errors = ErrorReference.all(limits)
        requestObjects = RequestReference.objects
        answerObjects = AnswerReference.objects(errors)
    }

    /// What a chat completion takes.
    var request: ReferenceSchema {
        .object(parameters.flatMap(\.properties)).following(RequestRules.request)
    }

    /// Every object by its name.
    var objects: [RequestReference.Named] {
        [("ChatCompletionRequest", request)] + requestObjects + answerObjects
    }
}
