// The tenant whose people these are: its tier, and how much of its quotas is used. Of other tenants nothing is told.

import { useTenant, type Tenant } from "../../api/access";
import { useFormats, useT } from "../../i18n";
import { Chip } from "../../ui/basic";
import { Data, Panel } from "../../ui/states";

// 1024 to the next unit, as quotas are set.
export function useBytes(): (bytes: number) => string {
  const formats = useFormats();
  return (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let at = 0;
    let value = bytes;
    while (value >= 1_024 && at < units.length - 1) {
      value /= 1_024;
      at += 1;
    }
    return `${formats.number(value, value < 10 && at > 0 ? 1 : 0)} ${units[at]}`;
  };
}

function Meter({ label, share, text }: { label: string; share: number; text: string }) {
  const look = share >= 1 ? "urgent" : share >= 0.8 ? "watch" : "safe";
  return (
    <div className={`quota ${look}`}>
      <dt>{label}</dt>
      <dd className="number">{text}</dd>
      <dd aria-hidden="true" className="quota-bar">
        <span style={{ inlineSize: `${Math.min(1, share) * 100}%` }} />
      </dd>
    </div>
  );
}

function Quotas({ tenant }: { tenant: Tenant }) {
  const t = useT();
  const formats = useFormats();
  const bytes = useBytes();
  return (
    <dl className="quotas">
      {tenant.storage_bytes_max > 0 ? (
        <Meter
          label={t("access.storage")}
          share={tenant.storage_bytes / tenant.storage_bytes_max}
          text={t("access.used_of", { used: bytes(tenant.storage_bytes), most: bytes(tenant.storage_bytes_max) })}
        />
      ) : (
        <div className="quota">
          <dt>{t("access.storage")}</dt>
          <dd className="number">{bytes(tenant.storage_bytes)}</dd>
          <dd>{t("access.no_limit")}</dd>
        </div>
      )}
      {tenant.requests_per_s > 0 ? (
        <Meter
          label={t("access.requests")}
          share={tenant.requests_used}
          text={t("access.requests_of", { share: formats.percent(tenant.requests_used), most: formats.number(tenant.requests_per_s) })}
        />
      ) : (
        <div className="quota">
          <dt>{t("access.requests")}</dt>
          <dd>{t("access.no_limit")}</dd>
        </div>
      )}
      {tenant.queues !== undefined && (
        <div className="quota">
          <dt>{t("access.weight")}</dt>
          <dd className="number">{t("access.queues", { n: tenant.queues, all: tenant.queues_of ?? 0 })}</dd>
        </div>
      )}
    </dl>
  );
}

export function TenantPart() {
  const t = useT();
  const formats = useFormats();
  const bytes = useBytes();
  const read = useTenant();
  const limit = (value: number, text: string) => (value > 0 ? text : t("access.no_limit"));
  return (
    <Data read={read} lines={3} height={72}>
      {(tenant) => (
        <>
          <Panel title={tenant.name || t("access.only_tenant")} aside={tenant.tier ? <Chip status="info">{tenant.tier}</Chip> : undefined}>
            <p className="field-hint">{t(tenant.tier ? "access.tenant_why" : "access.only_tenant_why")}</p>
            {tenant.hosts.length > 0 && (
              <p>
                {t("access.hosts")} <bdi>{tenant.hosts.join(", ")}</bdi>
              </p>
            )}
            <Quotas tenant={tenant} />
          </Panel>
          <Panel title={t("access.tiers")}>
            <p className="field-hint">{t("access.tiers_why")}</p>
            <div className="scroll" tabIndex={0} role="group" aria-label={t("access.tiers")}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("access.tier")}</th>
                    <th scope="col">{t("access.weight")}</th>
                    <th scope="col">{t("access.requests")}</th>
                    <th scope="col">{t("access.storage")}</th>
                  </tr>
                </thead>
                <tbody>
                  {tenant.tiers.map((tier) => (
                    <tr key={tier.name} className={tier.name === tenant.tier ? "chosen" : ""}>
                      <th scope="row">{tier.name}</th>
                      <td className="number">{formats.number(tier.queues)}</td>
                      <td className="number">{limit(tier.requests_per_s, formats.number(tier.requests_per_s))}</td>
                      <td className="number">{limit(tier.storage_bytes, bytes(tier.storage_bytes))}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        </>
      )}
    </Data>
  );
}
