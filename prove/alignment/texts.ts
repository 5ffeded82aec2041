import { hardTexts } from '../../services/teacher/backends/served/hard-texts.ts';

/** Words with marks as they are typed on a Mac, letter and mark apart. */
const decomposed = [
  'Příliš žluťoučký kůň úpěl ďábelské ódy.',
  'Tiếng Việt có nhiều dấu thanh, phải không?',
  'Où êtes-vous né, à Besançon ou à Nîmes ? Ça va.',
  'İstanbul’da güneşli, Iğdır’da yağmurlu bir gün.',
  'Ångström, Å och ö: blåbär på smörgås.',
  'ガギグゲゴ、パピプペポ、できます。',
  '한국어 문장은 낱글자로 나뉜다.',
].map((text) => text.normalize('NFD'));

/** What is hard for the alignment of two tokenizers: scripts, marks, runs, characters of which tokens hold parts. */
export const textsOfSweep: readonly string[] = [
  ...hardTexts,
  ...decomposed,
  '자연어 처리 모델은 한국어의 음절을 바이트로 나누어 읽기도 한다. 갔다, 했었다, 뷁.',
  '龘靐齉爨癵驫麤，生僻字𠮷𡃁𪚥。',
  '吾輩は猫である。名前はまだ無い。どこで生れたか頓と見當がつかぬ。',
  '東京都千代田区〒100-0001　０３−１２３４−５６７８',
  'ភាសាខ្មែរ မြန်မာဘာသာ ລາວ བོད་སྐད',
  'தமிழ் తెలుగు ಕನ್ನಡ മലയാളം বাংলা ગુજરાતી',
  'አማርኛ ქართული հայերեն ᏣᎳᎩ',
  'ﬁne ﬂow oﬃce ① ② ㎏ ℃ ™ ½ Ⅷ ﷺ',
  'Z̷̢͠a̴l̵g̶o̸ é̂ ç̌ n̈ ợ',
  'x\u0301y\u0323\u0302 \u0301alone',
  '🏳️‍🌈🏴󠁧󠁢󠁥󠁮󠁧󠁿👩🏽‍🚀👨‍👩‍👧‍👦❤️‍🔥',
  'a🤖b🤖🤖c 🤖 d',
  'mixed العربية and עברית and English ١٢٣',
  'in\u00advis\u00adible \u200d\u200c\u2060 joiners\ufeff here',
  '      six spaces\n\n\n\nfour lines\t\t\ttabs   \n  ',
  'line one\r\nline two\rline three\u2028line four\u2029',
  'for (let i = 0; i < n; ++i) { a[i] += b[i] * 0x1F; }  // €',
  '<html><body class="x">&nbsp;&amp;&lt;</body></html>',
  'SELECT * FROM "tabelle" WHERE größe >= 10 AND naïve IS NOT NULL;',
  '\\begin{equation} \\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2} \\end{equation}',
  '1,234,567.89 $12 €3.50 ¥1000 10⁻³ m² 50 % 7′ 8″',
  'ĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚě',
];
