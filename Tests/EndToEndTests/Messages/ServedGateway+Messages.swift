extension ServedGateway {
    /// The key that the scripted upstream wants where it speaks Anthropic's format.
    static let messagesKey = "sk-ant-0123456789-end-to-end"

    /// The scripted upstream once more, in Anthropic's format: with models that think within a
    /// budget, and with the newest, which decide themselves and take no sampling parameters.
    static func messagesBackends(port: UInt16) -> String {
        """
          claude:
            kind: anthropic
            base_url: http://127.0.0.1:\(port)
            api_key_env: TURNPIKE_TEST_CLAUDE
            allow_private_addresses: true
            thinking: budget
          claude-next:
            kind: anthropic
            base_url: http://127.0.0.1:\(port)/v1
            api_key_env: TURNPIKE_TEST_CLAUDE
            allow_private_addresses: true
            sampling_parameters: false
          claude-busy:
            kind: anthropic
            base_url: http://127.0.0.1:\(port)
            api_key_env: TURNPIKE_TEST_CLAUDE
            allow_private_addresses: true
          claude-busy-too:
            kind: anthropic
            base_url: http://127.0.0.1:\(port)
            api_key_env: TURNPIKE_TEST_CLAUDE
            allow_private_addresses: true

        """
    }

    /// The models of those.
    static let messagesModels = """
          claude:
            backends: [claude]
            upstream_model: claude-haiku-4-5
            context_tokens: 200000
            max_completion_tokens: 8192
            image_tokens: 1600
            price:
              prompt_usd_per_mtok: 3
              cached_usd_per_mtok: 0.30
              cache_write_usd_per_mtok: 3.75
              completion_usd_per_mtok: 15
          claude-next:
            backends: [claude-next]
            upstream_model: claude-opus-5-5
            context_tokens: 200000
            max_completion_tokens: 8192
          claude-limited:
            backends: [claude]
            upstream_model: claude-limited
            context_tokens: 200000
            max_completion_tokens: 8192
          claude-limited-too:
            backends: [claude]
            upstream_model: claude-limited-too
            context_tokens: 200000
            max_completion_tokens: 8192
          claude-busy: { backends: [claude-busy], context_tokens: 200000, max_completion_tokens: 8192 }
          claude-busy-too:
            backends: [claude-busy-too]
            context_tokens: 200000
            max_completion_tokens: 8192

        """
}
