import Foundation

/// How long the simulations of this target may run: `TURNPIKE_SIMULATION_SCALE` multiplies the
/// usual number of seeds, and from 10 on the largest models are searched whole.
enum SimulationScale {
    static let factor =
        Double(ProcessInfo.processInfo.environment["TURNPIKE_SIMULATION_SCALE"] ?? "") ?? 1

    static var isLong: Bool { factor >= 10 }
}
