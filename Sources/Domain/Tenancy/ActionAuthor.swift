/// Who acts as an administrator, as the record of actions tells it.
public struct ActionAuthor: Sendable, Hashable {
    /// The way in.
    public enum Way: String, Sendable, CaseIterable {
        /// The admin command.
        case command
        /// The admin HTTP API.
        case api
        /// The gateway itself, from its configuration.
        case gateway
    }

    /// The way in.
    public let way: Way
    /// Who it was: `user@host` of a command, the id and name of an admin key. To be read, not to be
    /// trusted beyond what the way in proves.
    public let name: String

    /// Makes an author.
    public init(way: Way, name: String) {
        self.way = way
        self.name = name
    }
}
