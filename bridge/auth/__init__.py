"""Who somebody is: what stands behind ports.Authenticator. `BRIDGE_AUTH` chooses one."""
