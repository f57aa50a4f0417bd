//! backend-host
