// Server-sent events (HTML standard, 9.2.6) as they come in pieces. EventSource is not used: it cannot say that no person
// asked (X-MyDR24-Unattended), and does not tell why it was refused.

export interface ServerEvent {
  kind: string;
  id: string;
  data: string;
}

export class EventParser {
  private rest = "";
  private kind = "";
  private data: string[] = [];
  private id = "";

  // The events that this piece completes.
  push(piece: string): ServerEvent[] {
    const found: ServerEvent[] = [];
    this.rest += piece;
    let end: number;
    while ((end = this.rest.indexOf("\n")) >= 0) {
      const line = this.rest.slice(0, end).replace(/\r$/, "");
      this.rest = this.rest.slice(end + 1);
      if (line === "") {
        if (this.data.length > 0 || this.kind) {
          found.push({ kind: this.kind || "message", id: this.id, data: this.data.join("\n") });
        }
        this.kind = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "event") this.kind = value;
      else if (name === "data") this.data.push(value);
      else if (name === "id") this.id = value;
    }
    return found;
  }
}
