/// Where an admin command finds its configuration.
enum ConfigurationSearch {
    /// The file to read: what `--config` names, else what `TURNPIKE_CONFIG` names, else
    /// `turnpike.yaml` in the working folder, else the one that `turnpike up` writes into its state
    /// folder. Only the last two need to exist to be chosen: a file that was named and is not there
    /// is an error to be told, not a reason to take another.
    static func file(
        option: String?, environment: (String) -> String?, exists: (String) -> Bool
    ) throws(AdminFailure) -> String {
        func named(_ variable: String) -> String? {
            environment(variable).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let option { return option }
        if let variable = named("TURNPIKE_CONFIG") { return variable }
        var places = ["turnpike.yaml"]
        // The XDG base directory specification ignores a path that is not absolute.
        if let state = named("XDG_STATE_HOME"), state.hasPrefix("/") {
            places.append(state + "/turnpike/turnpike.yaml")
        } else if let home = named("HOME") {
            places.append(home + "/.local/state/turnpike/turnpike.yaml")
        }
        if let place = places.first(where: exists) { return place }
        throw .wrongUsage(
            "There is no configuration: looked for \(places.joined(separator: " and ")).",
            advice: "Name one with --config FILE or TURNPIKE_CONFIG, or start `turnpike up` first.")
    }
}
