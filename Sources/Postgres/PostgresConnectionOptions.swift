/// How connections are opened and how long they wait.
///
/// What the connection URL says itself wins over these, except for the client encoding, which is
/// always UTF-8.
public struct PostgresConnectionOptions: Sendable {
    /// The name shown in `pg_stat_activity`.
    public var applicationName = "turnpike"
    /// The server ends a statement after this; nil leaves the server's setting.
    public var statementTimeout: Duration?
    /// The server ends the wait for a lock after this; nil leaves the server's setting.
    public var lockTimeout: Duration?
    /// The server ends a session that is idle inside a transaction after this; nil leaves its
    /// setting.
    public var idleInTransactionTimeout: Duration?
    /// The longest wait for one host while connecting; whole seconds, rounded up, at least 2. libpq
    /// counts whole seconds of the clock, so that the wait may be up to one second shorter.
    public var connectTimeout: Duration = .seconds(2)
    /// The longest wait of one call to `execute` or `pipeline` that names none itself. When it
    /// ends, the connection is closed; nothing is cancelled on the server.
    public var callTimeout: Duration = .seconds(30)
    /// Seconds of silence before TCP probes a peer, between probes, and the probes before giving
    /// up. Asked of both ends where the server session is this connection's alone: a server that
    /// did not probe would keep the session of a client that it cannot hear for hours, and refuse
    /// connections for as long.
    public var keepalives = (idle: 5, interval: 2, count: 3)
    /// Sent data that is not acknowledged for this long ends a TCP connection; at both ends, as
    /// above.
    public var tcpUserTimeout: Duration = .milliseconds(5000)
    /// Server settings for the session, in order: names and values as in `postgresql.conf`.
    public var settings: [(name: String, value: String)] = []
    /// Whether the server session is this connection's alone, so that named statements can be
    /// prepared and settings made once. False for a pooler that shares sessions between clients,
    /// such as PgBouncer with transaction pooling: then every statement is sent unnamed, and every
    /// transaction begins with the settings. Nil finds out: false whenever a pooler is in between.
    public var usePreparedStatements: Bool?
    /// Called on the connection's thread with everything the server mentions.
    public var noticeHandler: (@Sendable (PostgresNotice) -> Void)?

    /// The `connectTimeout` of who connects once and gives up: a command, or a start. Pools try
    /// again, at another host where there is one, and are better off with a short wait; a command
    /// that ends because the server was busy for two seconds has to be typed again.
    public static let patience: Duration = .seconds(10)

    /// Makes options with the values written above.
    public init() {}
}

extension PostgresConnectionOptions {
    /// The settings applied once the connection is open, as names and values.
    ///
    /// Not sent while connecting: proxies refuse start-up parameters they do not know.
    var sessionSettings: [(name: String, value: String)] {
        let timeouts: [(String, Duration?)] = [
            ("statement_timeout", statementTimeout), ("lock_timeout", lockTimeout),
            ("idle_in_transaction_session_timeout", idleInTransactionTimeout),
        ]
        return timeouts.compactMap { name, timeout in
            timeout.map { (name, String($0.wholeMilliseconds)) }
        } + settings
    }

    /// Settings for a session that is this connection's alone, by which the server finds out that
    /// its client is gone. Through a Unix socket they mean nothing and do no harm.
    var ownSessionSettings: [(name: String, value: String)] {
        [
            ("tcp_keepalives_idle", String(keepalives.idle)),
            ("tcp_keepalives_interval", String(keepalives.interval)),
            ("tcp_keepalives_count", String(keepalives.count)),
            ("tcp_user_timeout", String(tcpUserTimeout.wholeMilliseconds)),
        ]
    }

    /// What libpq is told unless the URL says otherwise.
    var connectionKeywords: [(name: String, value: String)] {
        let seconds = max(2, (connectTimeout.wholeMilliseconds + 999) / 1000)
        return [
            ("application_name", applicationName),
            ("connect_timeout", String(seconds)),
            ("keepalives", "1"),
            ("keepalives_idle", String(keepalives.idle)),
            ("keepalives_interval", String(keepalives.interval)),
            ("keepalives_count", String(keepalives.count)),
            ("tcp_user_timeout", String(tcpUserTimeout.wholeMilliseconds)),
        ]
    }
}
