import Domain
import Gateway
import TurnpikeConfiguration

/// Turns the configuration's webhooks into the gateway's.
struct WebhookWiring {
    let environment: [String: String]

    /// Every webhook, in the file's order. Throws where one has no secret, without naming it.
    func all(
        _ descriptions: [WebhookDescription]
    ) throws(StartupFailure) -> [WebhookConfiguration] {
        var all: [WebhookConfiguration] = []
        for description in descriptions {
            let variable = description.secretVariable
            guard let secret = WebhookSecret(Array((environment[variable] ?? "").utf8)) else {
                throw StartupFailure(
                    "the environment variable \(variable) holds no secret of a webhook: give whsec_ "
                        + "and 24 to 64 random bytes in base64, as of "
                        + "`echo whsec_$(head -c 32 /dev/urandom | base64)`")
            }
            var webhook = WebhookConfiguration(
                name: description.name, url: description.url.text, secret: secret)
            webhook.timeout = description.timeout
            webhook.schedule = description.schedule
            webhook.transport.addresses = description.addresses
            webhook.transport.certificateAuthorityFile = description.certificateAuthorityFile
            all.append(webhook)
        }
        return all
    }
}
