import Domain

/// Reads the section `safeguards`.
struct SafeguardsReader {
    private let section: Section?

    init(root: Section) {
        section = root.section("safeguards", accepted: ConfigurationKeys.safeguards)
    }

    /// The judge, whose model must be among `routes`; nil where there is none.
    func readJudge(of routes: [ModelRoute]) -> JudgeDescription? {
        guard let judge = section?.section("judge", accepted: ConfigurationKeys.judge) else {
            return nil
        }
        let model = judge.required("model", .text("a model alias of this file"))
        let variable = judge.required("api_key_env", .environmentName)
        let tokens = judge.value("max_completion_tokens", .whole(1...65_536), usual: 16)
        guard let model, let variable else { return nil }
        // A route that could not be read has its own problem.
        if !routes.isEmpty, !routes.contains(where: { $0.alias == model }) {
            judge.list.add(
                line: judge.line(of: "model"), key: judge.full("model"),
                "\"\(model)\" is no model of this file; give one of: "
                    + routes.map(\.alias).joined(separator: ", "))
        }
        return JudgeDescription(
            model: model, apiKeyVariable: variable, maximumCompletionTokens: tokens)
    }

    /// The analyzer; nil where there is none. It is the operator's own, on whatever network.
    func readAnalyzer() -> AnalyzerDescription? {
        guard let analyzer = section?.section("analyzer", accepted: ConfigurationKeys.analyzer)
        else { return nil }
        let url = analyzer.required("base_url", BackendsReader.baseURL)
        let description = AnalyzerDescription(
            baseURL: url ?? "",
            language: analyzer.value("language", .text("a language, such as en"), usual: "en"),
            minimumScore: analyzer.value("minimum_score", .whole(0...100), usual: 50),
            timeout: analyzer.value(
                "timeout", .duration(.milliseconds(10) ... .seconds(60)), usual: .seconds(5)))
        return url == nil ? nil : description
    }
}
