import JSON

@testable import Gateway

/// A refusal names a parameter that stands in the body, or one that is missing from what does.
enum RequestFaultCheck {
    /// Of what a client is told, in bytes.
    static let longestMessage = 1024
    private static let longestParameter = 256

    /// Checks a refusal of the body `root`.
    static func check(_ fault: RequestFault, _ root: JSONValue) {
        Property.require(
            fault.message.utf8.count <= longestMessage, "a refusal is told at length")
        guard let parameter = fault.parameter else {
            return Property.require(root.kind != .object, "a refusal names no parameter")
        }
        Property.require(parameter.utf8.count <= longestParameter, "a parameter's name is long")
        Property.require(
            fault.message.contains("'\(parameter)'") || parameter.contains("["),
            "a refusal of '\(parameter)' does not name it: \(fault.message)")
        var steps = steps(of: parameter)
        let last = steps.removeLast()
        guard
            let parent = steps.reduce(
                root, { value, step in value.flatMap { member(step, of: $0) } })
        else {
            return Property.require(false, "'\(parameter)' is refused and stands nowhere")
        }
        let value = member(last, of: parent)
        if fault.code == .missingRequiredParameter {
            Property.require(
                value?.isNull ?? true || parameter == "messages" || parameter == "model",
                "'\(parameter)' is there and called missing")
        } else {
            Property.require(value != nil, "'\(parameter)' is refused and stands nowhere")
        }
    }

    private enum Step {
        case name(String)
        case position(Int)
    }

    /// `messages[2].role`: messages, 2, role.
    private static func steps(of parameter: String) -> [Step] {
        parameter.split(separator: ".", omittingEmptySubsequences: false).flatMap { part in
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            let positions = pieces.dropFirst().map { Step.position(Int($0.dropLast()) ?? -1) }
            return [.name(String(pieces[0]))] + positions
        }
    }

    private static func member(_ step: Step, of value: JSONValue) -> JSONValue? {
        switch step {
        case .name(let name): return value[name]
        case .position(let position) where value.kind == .object:
            // A member whose name the client invented is told by its place.
            for (index, member) in value.members.enumerated() where index == position {
                return member.value
            }
            return nil
        case .position(let position): return value[position]
        }
    }
}
