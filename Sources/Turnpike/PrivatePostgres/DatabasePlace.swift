import Foundation

/// Where in a data directory the private database lives, and as whom it runs.
struct DatabasePlace: Sendable, Equatable {
    let dataFolder: String
    let socketFolder: String
    let logFile: String
    let account: SystemAccount?

    /// Finds the place in a data directory, and makes what has to be there before the database.
    /// Says whatever it does outside the directory or to its mode.
    static func find(
        in directory: DataDirectory, environment: [String: String], progress: StartupProgress
    ) async throws(StartupFailure) -> DatabasePlace {
        let account = try await SystemAccount.forDatabase()
        var dataFolder = directory.file("postgres")
        var socketFolder = directory.file("run")
        var isInside = true
        if let account {
            isInside = try await open(directory, for: account, progress)
            if !isInside { dataFolder = try elsewhere(directory, account, progress) }
        }
        if !isInside || !SocketFolder.fits(socketFolder) {
            let runtime = account == nil ? environment["XDG_RUNTIME_DIR"] : nil
            socketFolder = SocketFolder.short(
                for: directory.path,
                in: runtime.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp")
            guard SocketFolder.fits(socketFolder) else {
                throw StartupFailure(
                    "XDG_RUNTIME_DIR is too long for a socket; give a shorter --data-dir")
            }
        }
        try FolderOwnership.ensurePrivate(socketFolder, account: account)
        return DatabasePlace(
            dataFolder: dataFolder, socketFolder: socketFolder,
            logFile: directory.file("postgres.log"), account: account)
    }

    /// Lets the database's account pass through the data directory, which holds nothing that the
    /// account could read; says whether it can get there, which the folders above decide.
    private static func open(
        _ directory: DataDirectory, for account: SystemAccount, _ progress: StartupProgress
    ) async throws(StartupFailure) -> Bool {
        if try await account.mayEnter(directory.path) { return true }
        do {
            let files = FileManager.default
            let attributes = try files.attributesOfItem(atPath: directory.path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o700
            try files.setAttributes(
                [.posixPermissions: mode | 0o011], ofItemAtPath: directory.path)
        } catch {
            throw StartupFailure(
                "\(directory.path) cannot be opened for \(account.name): \(FileFault.words(error))")
        }
        return try await account.mayEnter(directory.path)
    }

    /// A folder that the account can reach, for a data directory below one that it may not enter,
    /// such as root's home. A link in the data directory leads there.
    private static func elsewhere(
        _ directory: DataDirectory, _ account: SystemAccount, _ progress: StartupProgress
    ) throws(StartupFailure) -> String {
        let files = FileManager.default
        let link = directory.file("postgres")
        // No link yet, then one is made.
        if let target = try? files.destinationOfSymbolicLink(atPath: link) { return target }
        let parent = "/var/lib/turnpike"
        let target = "\(parent)/postgres-\(UUID().uuidString.prefix(8).lowercased())"
        do {
            try files.createDirectory(
                atPath: parent, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o711])
            try files.createSymbolicLink(atPath: link, withDestinationPath: target)
        } catch {
            throw StartupFailure(
                "\(directory.path) cannot be entered by \(account.name), as whom PostgreSQL runs "
                    + "when root starts it, and \(target) cannot be used: \(FileFault.words(error)); "
                    + "give a --data-dir such as /var/lib/turnpike")
        }
        progress.say(
            "\(account.name), as whom PostgreSQL runs when root starts it, may not enter "
                + "\(directory.path); the database is in \(target), linked from \(link).")
        return target
    }
}
