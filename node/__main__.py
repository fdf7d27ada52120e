"""The program `gsp`: one verb for each thing that a person does. Each verb is a module of its own in `node.cli`."""

from __future__ import annotations

import os

import click

from node import __version__
from node.cli.exit_codes import MEANINGS
from node.cli.group import Verb, Verbs

# gRPC's core writes failed handshakes to standard error by itself; our own errors say what they mean.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

VERBS = {
    "resolve": Verb(module="node.cli.resolve", summary="Find out which Parties may know a code."),
    "scan": Verb(module="node.cli.scan", summary="Read every code in photos, and say which Parties may know it."),
    "ask": Verb(module="node.cli.ask", summary="Ask a Party what it knows of one or many of its codes."),
    "queries": Verb(module="node.cli.queries", summary="List the queries that were asked here, or show one with its answers."),
    "why": Verb(module="node.cli.why", summary="Explain where a query stands: what happened, what it waits for, what to do."),
    "inbox": Verb(
        module="node.cli.inbox", summary="List the queries that came in, or show one with a draft of its answer; import a file."
    ),
    "outbox": Verb(
        module="node.cli.outbox",
        summary="Show what waits for other Parties; retry or drop what they refused; write it into a file that replaces the network.",
    ),
    "answer": Verb(module="node.cli.answer", summary="Answer a query that came in."),
    "attachments": Verb(
        module="node.cli.attachments", summary="List the files that go with a query and its answers, or save them."
    ),
    "proof": Verb(module="node.cli.proof", summary="Make a proof file of a query and its answers, or check one."),
    "audit": Verb(module="node.cli.audit", summary="Search the journal of your node, export what was found, check such a file."),
    "directory": Verb(
        module="node.cli.directory", summary="Show who the Parties are, their authorities, and every entry of the log; verify it."
    ),
    "peers": Verb(module="node.cli.peers", summary="Show how the nodes of other Parties do."),
    "doctor": Verb(module="node.cli.doctor", summary="Look at everything that can go wrong."),
    "pattern": Verb(module="node.cli.pattern", summary="Draft, check, explain, publish and withdraw code patterns."),
    "library": Verb(module="node.cli.library", summary="Look at all Parties' patterns, export them, check such a file."),
    "officers": Verb(
        module="node.cli.officers.group", summary="Invite officers, grant and withdraw rights, see who did what; enrol, renew."
    ),
    "keys": Verb(module="node.cli.keys", summary="Show every key of this Party and what happens next; change, revoke, veto."),
    "party": Verb(module="node.cli.party", summary="Join the federation, run a Party's node, load its data."),
    "journal": Verb(
        module="node.cli.journal", summary="Compare this node's records with its peers' accounts, and its journal with its rows."
    ),
    "backup": Verb(module="node.cli.backup", summary="Back a node's home up into one encrypted file, or check one."),
    "restore": Verb(module="node.cli.restore", summary="Put a backup back into an empty folder."),
    "secretariat": Verb(module="node.cli.secretariat", summary="Found a directory, run its node, invite and admit Parties."),
    "founder": Verb(module="node.cli.founder", summary="Keep a founder's key; look at what is to be signed, and sign it."),
    "root": Verb(module="node.cli.root", summary="Keep the treaty root offline, and sign the Secretariat's issuing CA."),
    "demo": Verb(module="node.cli.demo", summary="Run a whole federation on this machine and tell its story."),
}

_ENDINGS = "\n".join(["\b", "How it ends:", *(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())])


@click.group(cls=Verbs, verbs=VERBS, epilog=_ENDINGS, invoke_without_command=True, context_settings={"max_content_width": 110})
@click.version_option(__version__, prog_name="gsp")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ask other Parties about tobacco products by their unique markings, and answer their questions (Article 8 of the Protocol).

    Verbs that go to your node need an officer's profile: --officer DIR, or GSP_OFFICER. With --json each prints one document.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


if __name__ == "__main__":
    main()
