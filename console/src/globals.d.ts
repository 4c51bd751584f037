// Set by vite.config.ts: where the licences of what the console carries are.
declare const licences_path: string;
