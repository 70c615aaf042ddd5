extension JSONStorage {
    /// The path from the root to the member whose name is at `target`, such as `messages[3].role`.
    /// For people: names are cut at 64 characters, control characters become `?`, and a path that
    /// grows beyond 256 bytes ends in `…` and the name itself.
    func path(toKeyAt target: Int) -> String {
        var path = ""
        var index = 1
        while path.utf8.count <= 256 {
            guard let step = step(from: index, towards: target) else { return path }
            switch step {
            case .element(let position, let value):
                path += "[\(position)]"
                index = value
            case .member(let key):
                if !path.isEmpty { path += "." }
                path += shownName(key)
                if key == target { return path }
                index = key + 1
            }
        }
        return path + "…" + shownName(target)
    }

    private enum Step {
        case element(position: Int, value: Int)
        case member(key: Int)
    }

    private func step(from container: Int, towards target: Int) -> Step? {
        let isObject = tag(container) == JSONTag.object
        guard isObject || tag(container) == JSONTag.array else { return nil }
        let close = next(after: container) - 1
        var index = container + 1
        var position = 0
        while index < close {
            let following = next(after: isObject ? index + 1 : index)
            if target < following {
                return isObject ? .member(key: index) : .element(position: position, value: index)
            }
            index = following
            position += 1
        }
        return nil
    }

    private func shownName(_ key: Int) -> String {
        let name = unsafe String(decoding: utf8(key).prefix(256), as: UTF8.self)
        let isControl = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .control
        }
        return String(
            String.UnicodeScalarView(
                name.unicodeScalars.prefix(64).map { isControl($0) ? "?" : $0 }))
    }
}
