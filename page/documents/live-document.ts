/** The page of a running trainer; its script fills it. */
export const liveDocument = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>FuseMesh</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<noscript>This page draws what the trainer says, which needs JavaScript. The figures are at /metrics too.</noscript>
</body>
</html>
`;
