import Domain
import Foundation
import JSON
import Ledger
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing
import TurnpikeConfiguration

@testable import Admin

/// An API, its ledger and a key of each role.
final class AdminOffice: Sendable {
    /// An answer, with its JSON.
    struct Reply {
        let status: Int
        let headers: [String: String]
        let json: JSONValue

        var code: String? { json["error"]?["code"]?.string }
        /// The rows of a list.
        var rows: [JSONValue] { (json["data"]?.elements).map(Array.init) ?? [] }
    }

    let database: TestDatabase
    let pool: AdministrationPool
    let api: AdminHTTP
    let folder: URL
    private let document: JSONDocument
    private let secrets = Mutex<[String: String]>([:])
    /// What is done where the API would wait.
    let hook: Hook

    /// Does something where the API would wait.
    final class Hook: Sendable {
        private let action = Mutex<@Sendable () -> Void>({})

        func set(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }

        func wait() { action.withLock { $0 }() }
    }

    init() throws {
        database = try TestDatabase.make()
        folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let bytes = (0..<32).map { UInt8($0) }
        _ = FileManager.default.createFile(
            atPath: folder.appending(path: "pepper").path, contents: Data(bytes),
            attributes: [.posixPermissions: 0o600])
        let configuration = try Configuration.parse(
            """
            database: "\(database.url)"
            data_dir: \(folder.path)
            pepper_file: \(folder.path)/pepper
            backends:
              local: { kind: local_engine, model_file: demo.gguf }
            models:
              demo: { backends: [local], context_tokens: 1024, max_completion_tokens: 512 }
            """, file: folder.appending(path: "turnpike.yaml").path, environment: { _ in nil })
        let random = LedgerRandom { .random(in: 0 ... .max) }
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        pool = try AdministrationPool(url: database.url, random: random, logger: logger)
        let hook = Hook()
        self.hook = hook
        api = AdminHTTP(
            configuration: configuration, peppers: [try Ledger.Pepper(id: 1, bytes: bytes)],
            pool: pool, logger: logger, pause: { _ in hook.wait() })
        document = try JSONParser(
            maximumBytes: 1 << 22, maximumDepth: 64, maximumNodes: 100_000
        ).parse(AdminDocument.make(AdminRoutes.all).bytes)
        let store = try DirectoryStore(url: database.url, random: random, author: .test)
        defer { store.connection.close() }
        let acme = try store.organizations.create(name: "acme")
        let other = try store.organizations.create(name: "other")
        for (name, role, owner) in [
            ("owner", AdminRole.owner, nil), ("operator", .operator, nil),
            ("auditor", .auditor, nil), ("acme", .owner, acme.id), ("other", .owner, other.id),
        ] as [(String, AdminRole, OrganizationID?)] {
            let minted = try store.adminKeys.mint(
                name: name, role: role, organization: owner, expires: nil,
                pepper: try Ledger.Pepper(id: 1, bytes: bytes), claim: nil)
            let secret = minted.secret.withBytes { String(decoding: $0, as: UTF8.self) }
            secrets.withLock { $0[name] = secret }
        }
    }

    /// Runs `body` with an API of its own, and stops it.
    static func open(_ body: (AdminOffice) async throws -> Void) async throws {
        let office = try AdminOffice()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(office)) } catch { outcome = .failure(error) }
        await office.pool.stop()
        try outcome.get()
    }

    deinit {
        // A folder left in the temporary directory harms nobody.
        try? FileManager.default.removeItem(at: folder)
    }

    func secret(_ name: String) -> String { secrets.withLock { $0[name] ?? name } }

    /// Asks, and holds the answer against the description.
    func ask(
        _ method: String, _ target: String, _ body: String = "", as name: String = "owner",
        once: String? = nil
    ) async throws -> Reply {
        let response = await send(method, target, body, as: name, once: once)
        let json = try JSONParser(
            maximumBytes: 1 << 22, maximumDepth: 64, maximumNodes: 100_000
        ).parse(response.body).root
        hold(json, response.status, method, "/admin/v1/" + target.prefix { $0 != "?" })
        return Reply(
            status: response.status,
            headers: Dictionary(response.headers.map { ($0.name, $0.value) }) { $1 },
            json: json)
    }

    /// Asks, and gives the answer as it is.
    func send(
        _ method: String, _ target: String, _ body: String = "", as name: String = "owner",
        once: String? = nil, takesPieces: Bool = true
    ) async -> AdminResponse {
        let parts = target.split(separator: "?", maxSplits: 1)
        var headers = [("content-type", "application/json")]
        if !name.isEmpty { headers.append(("authorization", "Bearer \(secret(name))")) }
        if let once { headers.append(("idempotency-key", once)) }
        var request = AdminRequest(
            method: method, path: "/admin/v1/" + (parts.first ?? ""),
            query: parts.count > 1 ? String(parts[1]) : "", headers: headers,
            body: Array(body.utf8))
        request.takesPieces = takesPieces
        return await api.respond(to: request)
    }

    private func hold(_ json: JSONValue, _ status: Int, _ method: String, _ path: String) {
        let check = SchemaCheck(document: document.root)
        var schema = document["components"]?["schemas"]?["Error"]
        if case .route(let route, _) = AdminRouter.find(method, path, in: AdminRoutes.all) {
            let operation = document["paths"]?["/admin/" + route.path]?[method.lowercased()]
            schema =
                operation?["responses"]?[String(status)]?["content"]?["application/json"]?[
                    "schema"]
        }
        guard let schema else {
            Issue.record("\(method) \(path) \(status) is not described")
            return
        }
        let faults = check.faults(json, schema)
        #expect(faults == [], "\(method) \(path) \(status)")
    }
}
