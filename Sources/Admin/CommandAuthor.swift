import Domain
import Foundation

/// Who runs a command, for the record of actions.
enum CommandAuthor {
    /// The account and the machine, as `user@host`. Behind `sudo` the account that called it: that
    /// root acted says nothing.
    ///
    /// The operating system vouches for the account, and whoever is root can be anybody: the record
    /// is of people who may administer.
    static func author() -> ActionAuthor {
        author(
            account: NSUserName(), host: ProcessInfo.processInfo.hostName,
            environment: ProcessInfo.processInfo.environment)
    }

    /// The same of an account, a machine and the environment of the command.
    static func author(
        account: String, host: String, environment: [String: String]
    ) -> ActionAuthor {
        // Only sudo makes a root that was somebody: anybody else may have the variable of his own.
        let caller = account == "root" ? environment["SUDO_USER"] : nil
        let name = [caller, account].compactMap(\.self).first { !$0.isEmpty } ?? "somebody"
        let plain = DisplayWidth.printable(name)
        return ActionAuthor(
            way: .command,
            name: DisplayWidth.truncate("\(plain)@\(DisplayWidth.printable(host))", to: 128))
    }
}
