// The widgets' own words. Reviews stay in the language they were written in.
const en = {
  tag: "en",
  unreviewed: "No reviews yet",
  write: "Write a review",
  why: "why",
  on: "Read on",
  customer: "A customer",
  reply: "The store:",
  reviews: (n) => (n === 1 ? "1 review" : `${n} reviews`),
  published: (n) => (n === 1 ? "1 review, published" : `${n} reviews, all published`),
  hidden: (n) => `${n} hidden`,
  all: (n) => (n === 1 ? "Read it on Grapevine" : `All ${n} reviews`),
  of5: (n) => `${n.toFixed(1)} of 5 stars`,
  row: (stars, n) => `${stars} stars: ${n}`,
  bought: () => "Bought",
  delivered: () => "Bought, delivered",
  kept: (days) => `Bought, kept ${days} days`,
  returned: () => "Bought, returned",
  imported: () => "Imported, not verified",
  earns: "Earns from their link",
  ad: "#ad",
  share: (percent) => (percent ? `Share & earn ${percent}%` : "Share"),
  says: "stands beside every link, and that you may earn.",
  gift: (gift) => `Your friend gets ${gift}.`,
  helpful: (n) => (n === 1 ? "1 person found this helpful" : `${n} people found this helpful`),
}

const zh = {
  tag: "zh-Hans",
  unreviewed: "还没有评价",
  write: "写评价",
  why: "原因",
  on: "继续阅读",
  customer: "一位顾客",
  reply: "商家回复：",
  reviews: (n) => `${n} 条评价`,
  published: (n) => `${n} 条评价，全部公开`,
  hidden: (n) => `${n} 条已隐藏`,
  all: (n) => `查看全部 ${n} 条评价`,
  of5: (n) => `${n.toFixed(1)} 星（满分 5 星）`,
  row: (stars, n) => `${stars} 星：${n}`,
  bought: () => "已购买",
  delivered: () => "已购买，已收货",
  kept: (days) => `已购买，留用 ${days} 天`,
  returned: () => "已购买，已退货",
  imported: () => "外部导入，未核实",
  earns: "通过自己的链接获得佣金",
  ad: "广告",
  share: (percent) => (percent ? `分享赚 ${percent}%` : "分享"),
  says: "会标在每个链接旁，注明你可能获得收入。",
  gift: (gift) => `朋友可得 ${gift}。`,
  helpful: (n) => `${n} 人觉得有用`,
}

export function wordsFor(lang) {
  const words = /^zh/i.test(lang) ? zh : en
  return { ...words, figure: (n) => n.toFixed(1), date: (at) => new Date(at).toLocaleDateString(words.tag, { dateStyle: "medium" }) }
}
