// What went wrong with a request, in the words that a person needs: what, code, whether trying again can help.

export type Trouble =
  | "offline" // no answer at all
  | "slow" // none in time
  | "expired" // nobody is logged in any more
  | "forbidden"
  | "missing"
  | "busy" // the server refuses for now
  | "conflict" // somebody else was first
  | "invalid"
  | "server";

export interface Report {
  request: string;
  id: string; // X-Request-Id: the audit trail and the log have it
  at: string;
}

export class ApiError extends Error {
  constructor(
    readonly trouble: Trouble,
    readonly status: number,
    detail: string,
    readonly report: Report,
    readonly retry_after_s = 0,
    readonly where = "", // the member of what was sent that is wrong: implementation[0].value
  ) {
    super(detail);
  }

  // Whether the same request may succeed later without anybody changing anything.
  get can_retry(): boolean {
    return this.trouble === "offline" || this.trouble === "slow" || this.trouble === "busy" || this.trouble === "server";
  }

  // Of the trouble and the status alone: stable, and says nothing of a record.
  get code(): string {
    return this.status > 0 ? `HTTP ${this.status}` : this.trouble.toUpperCase();
  }

  text(): string {
    const { request, id, at } = this.report;
    return [`MyDR24 console`, request, `${this.code}: ${this.message}`, `request ${id}`, `at ${at}`].join("\n");
  }
}

function trouble_of(status: number): Trouble {
  if (status === 401) return "expired";
  if (status === 403) return "forbidden";
  if (status === 404 || status === 410) return "missing";
  if (status === 409 || status === 412) return "conflict";
  if (status === 429 || status === 503 || status === 507) return "busy";
  return status >= 500 ? "server" : "invalid";
}

// Problem details (RFC 9457), OperationOutcome (FHIR), OAuth errors, the HTTP APIs of Prometheus and of Alertmanager (a text, or
// a message), or nothing at all.
export function detail_of(body: unknown): string {
  if (typeof body === "string") return body;
  if (typeof body !== "object" || body === null) return "";
  const members = body as Record<string, unknown>;
  if (members["resourceType"] === "OperationOutcome" && Array.isArray(members["issue"])) {
    const issues = members["issue"] as { diagnostics?: unknown; details?: { text?: unknown } }[];
    return issues
      .map((issue) => issue.diagnostics ?? issue.details?.text)
      .filter((text) => typeof text === "string")
      .join(" ");
  }
  for (const name of ["detail", "error_description", "error", "message", "title"]) {
    const text = members[name];
    if (typeof text === "string" && text) return text;
  }
  return "";
}

export async function error_of(answer: Response, report: Report): Promise<ApiError> {
  const text = await answer.text().catch(() => "");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const retry_after = Number(answer.headers.get("Retry-After") ?? 0);
  const detail = detail_of(body) || answer.statusText || `status ${answer.status}`;
  const where = (body as { instance?: unknown } | undefined)?.instance;
  const known = typeof where === "string" ? where : "";
  return new ApiError(trouble_of(answer.status), answer.status, detail, report, Number.isFinite(retry_after) ? retry_after : 0, known);
}
