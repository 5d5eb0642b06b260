"""A real attempt in its own thread, which halts before each step until it is continued or crashed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Semaphore, Thread
from typing import Any, TypeVar

from state.outbox import Taken
from state.script import Call
from state.scripts import Confirmed, Scripts
from tasks.delivery import yuno
from tasks.delivery.attempt import attempt
from tasks.delivery.deadline_transport import Attempt
from tasks.delivery.settings import DeliverySettings
from tasks.policy.settings import ContactSettings
from tests.support.attempts import deps_of
from tests.support.states import make_state

CONTACT = ContactSettings.model_validate(
    {"quiet_hours": "off", "law": "off", "needs_cart": (), "max_per_session": 100},
)
PATIENT = {"max_attempts": 100, "breaker_failures": "off"}
TOO_LATE = yuno.TryAgain("too_late", counted=False)
Reply = TypeVar("Reply")
Step = tuple[str, str]
"""An attempt's next step: a name of the model, and the result that it will record."""


class Crash(BaseException):
    """The process is gone, and nothing of it runs any more."""


class SteppedAttempt:
    """One attempt, which takes its outreach on creation, if there is one to take.

    Attributes:
        taken: The taken outreach; None if there was none.
        next: Its next step; None once it has ended. `looks`: checks the barrier and the policy.
        reply: The API's answer to it.
        was_late: Whether it was too late at the time of its request.
        clock_s: Its clock, which only the test moves.
    """

    def __init__(self, scripts: Scripts, outreach: str, *, repeats: bool) -> None:
        self.taken: Taken | None = None
        self.next: Step | None = None
        self.reply: yuno.Reply = yuno.Undecided("read_timeout")
        self.was_late = False
        self.clock_s = 0.0
        self._dies = False
        self._failure: BaseException | None = None
        self._go, self._halted = Semaphore(0), Semaphore(0)
        state = make_state(scripts.client, _SteppedScripts(scripts, self._halt))
        delivery = DeliverySettings.model_validate({"on_unknown": "retry" if repeats else "park", **PATIENT})
        base = deps_of(state, delivery=delivery, contact=CONTACT)
        self._deps = replace(
            base,
            outbox=_Told(state.outbox, self._tell, self._took),  # type: ignore[arg-type]
            streams=_Told(state.streams, self._tell),  # type: ignore[arg-type]
            client=self,  # type: ignore[arg-type]
            monotonic=lambda: self.clock_s,
            sleep=self._sleep,
        )
        self._outreach = outreach
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()

    def go(self) -> None:
        """Let it take its next step, and continue until it halts again or ends."""
        self._go.release()
        self._wait()

    def die(self) -> None:
        """Let it end where it is."""
        if self.next is not None:
            self._dies = True
            self.go()
        self._thread.join()

    def post(self, _body: str, _key: str, limits: Attempt, **_now: object) -> yuno.Reply:
        """Answer as the API, or not at all if it is too late."""
        self._halt("post")
        self.was_late = self.clock_s > limits.latest_start
        return TOO_LATE if self.was_late else self.reply

    def _run(self) -> None:
        try:
            attempt(self._outreach, self._deps)
        except Crash:
            pass
        except BaseException as exc:  # noqa: BLE001 - raised again by the waiting caller
            self._failure = exc
        finally:
            self.next = None
            self._halted.release()

    def _wait(self) -> None:
        self._halted.acquire()
        if self._failure is not None:
            raise self._failure

    def _halt(self, name: str, result: str = "") -> None:
        self.next = (name, result)
        self._halted.release()
        self._go.acquire()
        if self._dies:
            raise Crash

    def _tell(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        match name:
            case "barrier_passed" if self.next is None:
                self._halt("looks")
            case "fence" | "postpone":
                self._halt(name)
            case "end_unsent":
                self._halt(name, args[1])
            case "settle":
                self._halt(name, "repeat" if args[1] == "retry" and named.get("ambiguous") else args[1])

    def _sleep(self, seconds: float) -> None:
        self.clock_s += seconds

    def _took(self, name: str, done: object) -> None:
        if name == "take" and isinstance(done, Taken):
            self.taken = done


class _Told:
    """A part of the state that reports each call before and after it is made."""

    def __init__(
        self,
        part: object,
        tell: Callable[[str, tuple[Any, ...], dict[str, Any]], None],
        done: Callable[[str, object], None] = lambda _name, _done: None,
    ) -> None:
        self._part, self._tell, self._done = part, tell, done

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the part has
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> object:  # noqa: ANN401 - as the part takes them
            self._tell(name, args, named)
            done = found(*args, **named)
            self._done(name, done)
            return done

        return call


class _SteppedScripts(Scripts):
    """Scripts that halt before each identity that is reserved or released."""

    def __init__(self, scripts: Scripts, halt: Callable[[str], None]) -> None:
        super().__init__(scripts.driver)
        self._scripts, self._halt = scripts, halt

    def text(self, name: str) -> str:
        return self._scripts.text(name)

    def run_confirmed(self, call: Call[Reply]) -> Confirmed[Reply]:
        if call.name == "reserve":
            self._halt(call.name)
        return super().run_confirmed(call)

    def run_many(self, calls: Iterable[Call[Reply]]) -> list[Reply]:
        calls = list(calls)
        if not calls or calls[0].name != "release":
            return super().run_many(calls)
        replies = []
        # One by one instead of in one round trip: the last reservation is released first, as in the model.
        for call in reversed(calls):
            self._halt(call.name)
            replies.append(self.run(call))
        return replies[::-1]
