"""A query of the runbook and what it should answer; read-only, so it may be asked again at any time."""

from checks.observe import ask
from checks.probers.base import Question
from releases.actions.base import Context, Look, Observation, as_judged
from releases.plan.model import PlannedAction
from releases.runbooks.filling import bound


class Sql(Look):
    """Asks the environment's database (fence attribute `database=NAME`, else `default`, else the only one)."""

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Done when the rows are as the document expects; without an expectation the rows are evidence enough.

        Where no rule understands what is expected, a person compares.
        """
        name = action.options.get("database", "default")
        database = (
            context.environment.databases.filter(name=name).first() or context.environment.databases.first()
        )
        if database is None:
            return Observation(done=False, message=f"{context.environment} declares no database to ask")
        options: dict[str, object] = {"query": bound(action.text, dict(context.variables))}
        if action.expects:
            options["expected"] = action.expects
        question = Question(
            kind="sql",
            target=database.url,
            options=options,
            folder=context.environment.folder,
            variables=context.variables,
            timeout=action.number("timeout", 30.0),
        )
        (answer,) = ask([question])
        evidence = {"facts": dict(answer.facts), "expected": action.expects}
        return as_judged(answer.verdict, answer.message, evidence)
