from remediate.cli.main import main

main()
