import Foundation

/// Makes folders that only one account may enter.
enum FolderOwnership {
    /// Makes a folder of mode 0700 that belongs to `account`; nil means ours.
    static func createPrivate(_ path: String, account: SystemAccount?) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        try give(path, to: account)
    }

    /// Makes a private folder, or checks that the one that is there is one: a real folder, owned by
    /// `account`, that nobody else may enter. A folder in a place where everybody may write could
    /// be a trap otherwise.
    static func ensurePrivate(_ path: String, account: SystemAccount?) throws(StartupFailure) {
        let files = FileManager.default
        do {
            // Not there yet, the usual case of a first start, is no failure.
            if (try? files.attributesOfItem(atPath: path)) == nil {
                try createPrivate(path, account: account)
            }
            let attributes = try files.attributesOfItem(atPath: path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
            let owner = attributes[.ownerAccountName] as? String
            guard attributes[.type] as? FileAttributeType == .typeDirectory, mode & 0o077 == 0,
                owner == account?.name ?? NSUserName()
            else {
                throw StartupFailure(
                    "\(path) is not a private folder of \(account?.name ?? NSUserName()); "
                        + "remove it and start again")
            }
        } catch let failure as StartupFailure {
            throw failure
        } catch {
            throw StartupFailure("\(path) cannot be made: \(FileFault.words(error))")
        }
    }

    private static func give(_ path: String, to account: SystemAccount?) throws {
        guard let account else { return }
        try FileManager.default.setAttributes([.ownerAccountName: account.name], ofItemAtPath: path)
    }
}

/// The words for a file that could not be used.
enum FileFault {
    /// Short words for an error of Foundation's.
    static func words(_ error: any Error) -> String {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        return (cause ?? error as NSError).localizedDescription
    }
}
