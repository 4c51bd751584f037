import { Component, Suspense, useEffect, useRef, type ErrorInfo, type ReactNode } from "react";
import { Route, Switch, useLocation } from "wouter";
import { follow_feed } from "./api/queries";
import { begin_session, login_path, useSession, watch_session } from "./api/session";
import { Frame } from "./frame/frame";
import { useT } from "./i18n";
import { feed } from "./live/feed";
import { CanBeHeld } from "./live/hold";
import { components, screens } from "./screens/registry";
import { Failed, Loading } from "./ui/states";
import { Icon } from "./ui/icons";

// A fault of one screen leaves the frame standing, with the alerts in it.
class Fence extends Component<{ children: ReactNode; place: string }, { error?: Error; place: string }> {
  override state: { error?: Error; place: string } = { place: this.props.place };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  static getDerivedStateFromProps(props: { place: string }, state: { place: string }) {
    return props.place === state.place ? null : { place: props.place, error: undefined };
  }
  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error.message, info.componentStack);
  }
  override render() {
    if (!this.state.error) return this.props.children;
    return <Failed error={this.state.error} retry={() => location.reload()} />;
  }
}

function NotFound() {
  const t = useT();
  return (
    <div className="state neutral">
      <Icon name="neutral" />
      <p className="state-title">{t("screen.none")}</p>
    </div>
  );
}

function Screens() {
  const [place] = useLocation();
  return (
    <Fence place={place}>
      <CanBeHeld value={true}>
        <Suspense fallback={<Loading lines={4} height={72} />}>
          <Switch>
            {screens.map((screen) => {
              const Screen = components[screen.id];
              return (
                <Route key={screen.id} path={screen.path}>
                  {(params: Record<string, string | undefined>) => {
                    const id = params["id"];
                    return id === undefined ? <Screen /> : <Screen key={id} id={id} />;
                  }}
                </Route>
              );
            })}
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </Suspense>
      </CanBeHeld>
    </Fence>
  );
}

// Over the page, which stays as it is behind it: nobody may read it, and nothing that was typed is lost.
function Expired({ name }: { name: string }) {
  const t = useT();
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => link.current?.focus(), []);
  return (
    <div className="expired" role="alertdialog" aria-modal="true" aria-labelledby="expired-title" aria-describedby="expired-text">
      <h1 id="expired-title">{t("expired.title")}</h1>
      <p id="expired-text">{t("expired.text", { name })}</p>
      <a ref={link} className="button primary" href={login_path("/signed-in")} target="_blank" rel="opener">
        {t("expired.login")}
      </a>
    </div>
  );
}

export function App() {
  const session = useSession();
  useEffect(() => {
    void begin_session();
    return watch_session();
  }, []);
  const is_in = session.state === "open" || session.state === "in";
  useEffect(() => {
    if (!is_in) return;
    const stop = follow_feed();
    feed.start();
    return () => {
      feed.stop();
      stop();
    };
  }, [is_in]);
  if (session.state === "unknown") return <Loading lines={1} height={56} />;
  if (session.state === "unreachable") {
    return (
      <main className="alone">
        <h1>MyDR24</h1>
        <Failed error={session.error} retry={() => void begin_session()} />
      </main>
    );
  }
  return (
    <>
      <div inert={session.state === "expired"} className={session.state === "expired" ? "hidden-from-view" : ""}>
        <Frame>
          <Screens />
        </Frame>
      </div>
      {session.state === "expired" && <Expired name={session.me.name ?? session.me.id} />}
    </>
  );
}

