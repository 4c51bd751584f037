export function licences(root: string): { text: string; path: string };
