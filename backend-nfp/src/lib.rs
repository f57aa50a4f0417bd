//! backend-nfp: see docs/architecture.md; no code yet.
