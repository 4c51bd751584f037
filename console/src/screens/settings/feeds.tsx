// What comes in, by which way: how much, how much of it was faulty, and since when nothing comes.

import { feed_span_s, useFeeds, type Feed } from "../../api/settings";
import { useFormats, useT, type MessageId } from "../../i18n";
import { useNow } from "../../live/hooks";
import { Chip } from "../../ui/basic";
import type { Status } from "../../ui/icons";
import { Sparkline } from "../../ui/sparkline";
import { Data, Panel } from "../../ui/states";

const quiet_after_ms = 15 * 60_000;

type Standing = "away" | "never" | "quiet" | "faulty" | "live";
function standing_of(feed: Feed, now: number): Standing {
  if (feed.connected === false) return "away";
  if (feed.last_at === undefined) return "never";
  if (now - feed.last_at > quiet_after_ms) return "quiet";
  return feed.faulty > 0 ? "faulty" : "live";
}
const look_of: Record<Standing, Status> = { away: "emergency", never: "neutral", quiet: "watch", faulty: "watch", live: "safe" };

function Row({ feed }: { feed: Feed }) {
  const t = useT();
  const formats = useFormats();
  const now = useNow(5_000); // the server's clock: that of this machine may be wrong
  const standing = standing_of(feed, now);
  return (
    <li className="feed" data-feed={feed.id}>
      <Chip status={look_of[standing]}>{t(`settings.feed.${standing}` as MessageId)}</Chip>
      <span className="line-text wraps">
        <strong>{t(`settings.feed_name.${feed.id}` as MessageId)}</strong>
        <small>{t(`settings.feed_why.${feed.id}` as MessageId)}</small>
      </span>
      <span className="feed-course">
        {feed.last_at !== undefined && <Sparkline points={feed.course} height={32} />}
      </span>
      <span className="feed-figure">
        <span className="number">{formats.number(feed.received)}</span>
        <small>{t("settings.received")}</small>
      </span>
      <span className={`feed-figure ${feed.faulty > 0 ? "bad" : ""}`}>
        <span className="number">{formats.number(feed.faulty)}</span>
        <small>{t("settings.faulty")}</small>
      </span>
      <span className="feed-figure">
        <span className="number">{feed.last_at === undefined ? "–" : formats.age(Math.max(0, now - feed.last_at) / 1_000)}</span>
        <small>{t("settings.last")}</small>
      </span>
    </li>
  );
}

export function Feeds() {
  const t = useT();
  const read = useFeeds();
  return (
    <Panel title={t("settings.feeds")}>
      <p className="field-hint">{t("settings.feeds_why", { hours: feed_span_s / 3_600 })}</p>
      <Data read={read} lines={6} height={60}>
        {({ feeds, has_mqtt }) => (
          <>
            <ul className="lines">
              {feeds.map((feed) => (
                <Row key={feed.id} feed={feed} />
              ))}
            </ul>
            {!has_mqtt && <p className="field-hint">{t("settings.no_mqtt")}</p>}
          </>
        )}
      </Data>
    </Panel>
  );
}
