/// One request parameter that a system's page names, and what becomes of it here.
struct PageParameter: Sendable {
    /// Its name in the contract, such as `messages[].name`.
    let name: String
    /// What becomes of it.
    let verdict: Verdict

    /// What becomes of a parameter.
    enum Verdict: Sendable, Equatable {
        /// It takes effect. It stands at `at` in the system's one request; the backend is told at
        /// `told` of `value`, or of the value it was given where that is nil.
        case effective(at: String, told: String, value: String?)
        /// It takes effect: of a request with these members the backend is told at `told` of
        /// `value`.
        case probed(members: String, told: String, value: String)
        /// It takes effect here: the answer to the same request holds its value under its name.
        case answered
        /// It takes effect at the gateway, in a field of the answer that stands in the other list.
        case own
        /// It takes effect on streams only, which are asked for with it.
        case streamed
        /// It takes effect: a request with these members is refused for what it says.
        case judged(members: String, code: String, parameter: String)
        /// Its neutral value, which the one request holds, is taken and told to nobody; with these
        /// members it is refused by name.
        case neutral(members: String, parameter: String)
        /// A request with these members is refused by name.
        case refused(members: String, parameter: String)
    }

    /// It reaches the backend as it is, from `at` (its name where that is nil), under another path
    /// where `told` says so and with another value where `becomes` does.
    static func sent(
        _ name: String, at: String? = nil, told: String? = nil, becomes value: String? = nil
    ) -> PageParameter {
        PageParameter(
            name: name,
            verdict: .effective(at: at ?? name, told: told ?? at ?? name, value: value))
    }

    /// It is put to the proof by a request of its own, since it would hide another parameter.
    static func probed(
        _ name: String, _ members: String, told: String, _ value: String
    ) -> PageParameter {
        PageParameter(name: name, verdict: .probed(members: members, told: told, value: value))
    }

    /// It is told back with a plain answer.
    static func answered(_ name: String) -> PageParameter {
        PageParameter(name: name, verdict: .answered)
    }

    /// It is the gateway's own to honour, in streams.
    static func own(_ name: String) -> PageParameter {
        PageParameter(name: name, verdict: .own)
    }

    /// It is a parameter of streams.
    static func streamed(_ name: String) -> PageParameter {
        PageParameter(name: name, verdict: .streamed)
    }

    /// It makes the gateway refuse what `members` ask for.
    static func judged(
        _ name: String, _ members: String, code: String, parameter: String
    ) -> PageParameter {
        PageParameter(
            name: name, verdict: .judged(members: members, code: code, parameter: parameter))
    }

    /// Only its neutral value is taken.
    static func neutral(
        _ name: String, butNot members: String, parameter: String? = nil
    ) -> PageParameter {
        PageParameter(
            name: name, verdict: .neutral(members: members, parameter: parameter ?? name))
    }

    /// It is refused by name.
    static func refused(
        _ name: String, _ members: String, parameter: String? = nil
    ) -> PageParameter {
        PageParameter(
            name: name, verdict: .refused(members: members, parameter: parameter ?? name))
    }

    /// The members that must be refused, with which code and for which parameter; nil where there
    /// is nothing to refuse.
    var refusal: (members: String, code: String, parameter: String)? {
        switch verdict {
        case .effective, .probed, .answered, .own, .streamed: nil
        case .judged(let members, let code, let parameter): (members, code, parameter)
        case .neutral(let members, let parameter), .refused(let members, let parameter):
            (members, "unsupported_parameter", parameter)
        }
    }

    /// Where it stands in the one request; nil where it does not.
    var place: String? {
        switch verdict {
        case .effective(let at, _, _): at
        case .answered, .neutral: name
        case .probed, .own, .streamed, .judged, .refused: nil
        }
    }
}
