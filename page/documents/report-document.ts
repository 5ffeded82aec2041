import { createHash } from 'node:crypto';
import { bundle } from '../bundle.ts';
import type { ReportData } from '../view/report-data.ts';
import { favicon } from './favicon.ts';

/** The report of a run as one HTML document that needs nothing else, not even a server. */
export async function reportDocument(data: ReportData): Promise<string> {
  const { script, style } = await bundle('report');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${withoutMarkup(data.run)} · FuseMesh</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(favicon)}">
<style>${style}</style>
</head>
<body>
<noscript>The figures of this report are drawn by a script in it.</noscript>
<script type="application/json" id="data">${withoutMarkup(JSON.stringify(data))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** The policy allows only what has this digest, so a text of the run cannot add a script. */
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** JSON may write < as an escape; then no text can end the element that holds it. */
const withoutMarkup = (text: string): string => text.replaceAll('<', '\\u003c');
