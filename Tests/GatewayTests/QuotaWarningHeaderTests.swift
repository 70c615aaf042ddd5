import Domain
import NIOHTTP1
import Testing

@testable import Gateway

@Suite struct `The header that warns of quotas` {
    private func header(_ warnings: [QuotaWarning]) -> String? {
        var standing = Standing(requests: nil, tokens: nil)
        standing.warnings = warnings
        var headers = HTTPHeaders()
        RateLimitHeaders.add(standing, to: &headers)
        return headers["x-turnpike-quota-warning"].first
    }

    private func quota(_ kind: Subject.Kind, _ resource: Resource, _ limit: Int64) -> Quota {
        Quota(subject: Subject(kind: kind, id: 1), resource: resource, period: .day, limit: limit)
    }

    @Test func `is a list of structured fields, and absent without a warning`() {
        #expect(header([]) == nil)
        #expect(
            header([
                QuotaWarning(quota: quota(.key, .tokens, 1000), percent: 83),
                QuotaWarning(quota: quota(.team, .cost, Quota.highestLimit), percent: 100),
            ]) == "key;resource=tokens;period=day;used=83;limit=1000, "
                + "team;resource=cost;period=day;used=100")
        let soft = Quota(
            subject: Subject(kind: .team, id: 1), resource: .tokens, period: .total, limit: 5,
            isSoft: true)
        #expect(
            header([QuotaWarning(quota: soft, percent: 250)])
                == "team;resource=tokens;period=total;used=250;limit=5;soft")
        let model = Quota(
            subject: Subject(kind: .key, id: 1), resource: .tokens, period: .month, limit: 10,
            model: "a\"\\é")
        #expect(
            header([QuotaWarning(quota: model, percent: 90)])
                == #"key;model="a\"\\??";resource=tokens;period=month;used=90;limit=10"#)
    }
}
