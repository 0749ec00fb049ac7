"""What the tests share: scripted peers, fakes that enforce the rules, the playbook."""
