//! verifier: see docs/architecture.md; no code yet.
