"""Names from which the fictional Aomine Electric Group (青嶺電機グループ) is put together."""

from __future__ import annotations

GROUP_JA = "青嶺電機グループ"
GROUP_EN = "Aomine Electric Group"

DEPARTMENTS = (
    ("情報セキュリティ統括部", "Corporate Information Security Division"),
    ("内部監査室", "Internal Audit Office"),
    ("人事部", "Human Resources Department"),
    ("総務部", "General Affairs Department"),
    ("広報部", "Public Relations Department"),
    ("法務部", "Legal Department"),
    ("経理部", "Accounting Department"),
    ("資材部", "Procurement Department"),
    ("知的財産部", "Intellectual Property Department"),
    ("研究開発本部", "Research and Development Division"),
    ("情報システム部", "Information Systems Department"),
    ("品質保証部", "Quality Assurance Department"),
)

BUSINESS_GROUPS = (
    ("電力・社会システム事業グループ", "Power and Social Systems Group"),
    ("産業オートメーション事業グループ", "Industrial Automation Group"),
    ("電子デバイス事業グループ", "Electronic Devices Group"),
    ("情報通信事業グループ", "Information and Communications Group"),
    ("家電・空調事業グループ", "Home Appliances and Air Conditioning Group"),
    ("自動車機器事業グループ", "Automotive Equipment Group"),
    ("ビルシステム事業グループ", "Building Systems Group"),
    ("宇宙・観測機器事業グループ", "Space and Measurement Group"),
)

# Places of branches and works by region: country, Japanese name, English name.
CITIES = {
    "JP": tuple(
        ("JP", ja, en)
        for ja, en in (
            ("札幌", "Sapporo"), ("青森", "Aomori"), ("盛岡", "Morioka"), ("仙台", "Sendai"), ("秋田", "Akita"),
            ("山形", "Yamagata"), ("郡山", "Koriyama"), ("水戸", "Mito"), ("宇都宮", "Utsunomiya"),
            ("高崎", "Takasaki"), ("さいたま", "Saitama"), ("千葉", "Chiba"), ("東京", "Tokyo"),
            ("横浜", "Yokohama"), ("新潟", "Niigata"), ("富山", "Toyama"), ("金沢", "Kanazawa"), ("甲府", "Kofu"),
            ("長野", "Nagano"), ("岐阜", "Gifu"), ("静岡", "Shizuoka"), ("浜松", "Hamamatsu"), ("名古屋", "Nagoya"),
            ("四日市", "Yokkaichi"), ("大津", "Otsu"), ("京都", "Kyoto"), ("大阪", "Osaka"), ("神戸", "Kobe"),
            ("奈良", "Nara"), ("和歌山", "Wakayama"), ("岡山", "Okayama"), ("広島", "Hiroshima"), ("山口", "Yamaguchi"),
            ("高松", "Takamatsu"), ("松山", "Matsuyama"), ("高知", "Kochi"), ("福岡", "Fukuoka"), ("熊本", "Kumamoto"),
            ("鹿児島", "Kagoshima"), ("那覇", "Naha"),
        )
    ),
    "AM": (("US", "シカゴ", "Chicago"), ("US", "ダラス", "Dallas"), ("MX", "モンテレイ", "Monterrey"),
           ("BR", "サンパウロ", "Sao Paulo")),
    "EU": (("GB", "ロンドン", "London"), ("DE", "デュッセルドルフ", "Duesseldorf"), ("FR", "リヨン", "Lyon"),
           ("PL", "ヴロツワフ", "Wroclaw")),
    "CN": (("CN", "上海", "Shanghai"), ("CN", "北京", "Beijing"), ("CN", "広州", "Guangzhou"),
           ("CN", "大連", "Dalian")),
    "AS": (("SG", "シンガポール", "Singapore"), ("TH", "バンコク", "Bangkok"), ("IN", "チェンナイ", "Chennai"),
           ("VN", "ハノイ", "Hanoi")),
}  # fmt: skip

# Countries of affiliates by region: code, Japanese name, English name; in China the city stands for it.
COUNTRIES = {
    "AM": (("US", "アメリカ", "USA"), ("CA", "カナダ", "Canada"), ("MX", "メキシコ", "Mexico"),
           ("BR", "ブラジル", "Brazil"), ("AR", "アルゼンチン", "Argentina"), ("CL", "チリ", "Chile"),
           ("CO", "コロンビア", "Colombia")),
    "EU": (("DE", "ドイツ", "Germany"), ("GB", "イギリス", "UK"), ("FR", "フランス", "France"),
           ("IT", "イタリア", "Italy"), ("ES", "スペイン", "Spain"), ("NL", "オランダ", "Netherlands"),
           ("PL", "ポーランド", "Poland"), ("CZ", "チェコ", "Czechia"), ("SE", "スウェーデン", "Sweden"),
           ("TR", "トルコ", "Turkiye")),
    "CN": (("CN", "蘇州", "Suzhou"), ("CN", "無錫", "Wuxi"), ("CN", "天津", "Tianjin"), ("CN", "杭州", "Hangzhou"),
           ("CN", "成都", "Chengdu"), ("CN", "青島", "Qingdao")),
    "AS": (("TH", "タイ", "Thailand"), ("VN", "ベトナム", "Vietnam"), ("SG", "シンガポール", "Singapore"),
           ("MY", "マレーシア", "Malaysia"), ("ID", "インドネシア", "Indonesia"), ("PH", "フィリピン", "Philippines"),
           ("IN", "インド", "India"), ("KR", "韓国", "Korea")),
}  # fmt: skip

LEGAL_FORMS = {
    "US": "Inc.", "CA": "Inc.", "MX": "S.A. de C.V.", "BR": "Ltda.", "AR": "S.A.", "CL": "S.A.", "CO": "S.A.S.",
    "DE": "GmbH", "GB": "Ltd.", "FR": "S.A.S.", "IT": "S.r.l.", "ES": "S.L.", "NL": "B.V.", "PL": "Sp. z o.o.",
    "CZ": "s.r.o.", "SE": "AB", "TR": "A.S.", "CN": "Co., Ltd.", "TH": "Co., Ltd.", "VN": "Co., Ltd.",
    "SG": "Pte. Ltd.", "MY": "Sdn. Bhd.", "ID": "PT", "PH": "Inc.", "IN": "Pvt. Ltd.", "KR": "Co., Ltd.",
}  # fmt: skip

TRADES = (
    ("電機販売", "Electric Sales"),
    ("製造", "Manufacturing"),
    ("エンジニアリング", "Engineering"),
    ("ソフトウェア", "Software"),
    ("サービス", "Service"),
    ("部品", "Components"),
)

AFFILIATES_JA = (
    ("デバイス", "Devices"), ("ソリューションズ", "Solutions"), ("ロジスティクス", "Logistics"),
    ("電子部品", "Components"), ("エンジニアリング", "Engineering"), ("ファイナンス", "Finance"),
    ("情報システム", "Information Systems"), ("ライフサービス", "Life Service"), ("計測", "Instruments"),
    ("プラント建設", "Plant Construction"), ("ビルサービス", "Building Service"), ("人材開発", "Human Development"),
    ("テクノリサーチ", "Techno Research"), ("電線", "Wire and Cable"), ("照明", "Lighting"), ("モーター", "Motors"),
    ("冷熱", "Refrigeration"), ("印刷", "Printing"), ("保険サービス", "Insurance Service"),
    ("通信工事", "Telecom Works"), ("メディカル", "Medical"), ("半導体", "Semiconductors"), ("化成", "Chemicals"),
    ("金型", "Tooling"), ("カーエレクトロニクス", "Car Electronics"), ("コールセンター", "Call Centre"),
    ("環境サービス", "Environment Service"), ("宇宙技術", "Space Technologies"), ("電池", "Batteries"),
    ("クリエイト", "Create"), ("警備", "Security Guard"), ("リース", "Leasing"),
)  # fmt: skip
