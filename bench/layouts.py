"""Layouts that no source describes: headings as other people's programs write them, cells made here, what they mean."""

# ruff: noqa: E501 -- tables read better whole than broken at a column.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Layout:
    """A file that nobody has described: its text, the fields that each heading may be, and what its answers mean."""

    name: str
    file_name: str
    text: str
    kind: str
    columns: dict[str, frozenset[str]]
    answers: dict[str, str] = field(default_factory=dict)


def _layout(name: str, file_name: str, kind: str, columns: dict[str, str], rows: str, **answers: list[str]) -> Layout:
    return Layout(
        name,
        file_name,
        rows.lstrip("\n"),
        kind,
        {heading: frozenset(fields.split("/")) for heading, fields in columns.items()},
        {text: verdict for verdict, texts in answers.items() for text in texts},
    )


LAYOUTS: Final = (
    _layout(
        "equipment checks (ja)", "点検記録_2026年4月.csv", "answer",
        {"点検日": "performed_on", "点検項目": "item_text/item_code", "判定": "verdict"},
        """
点検No,点検日,点検項目,測定値,判定
P-001,2026/04/02,振動,10,OK
P-002,2026/04/03,温度,20,OK
P-003,2026/04/04,油量,30,NG
P-004,2026/04/05,異音,40,OK
P-005,2026/04/09,振動,10,OK
P-006,2026/04/10,温度,20,NG
P-007,2026/04/11,油量,30,OK
P-008,2026/04/12,異音,40,OK
P-009,2026/04/16,振動,15,OK
""",
        met=["OK"], not_met=["NG"],
    ),
    _layout(
        "buildings (ja)", "建物点検.csv", "answer",
        {"建物名": "entity_code/entity_name", "セクション": "category", "点検項目": "item_text/item_code", "判定": "verdict", "コメント": "comment"},
        """
建物名,セクション,点検項目,判定,コメント
青空ハイツ,外壁・屋根・基礎,外壁のひび割れ,○,
青空ハイツ,外壁・屋根・基礎,屋根の破損,△,一部にずれがある
青空ハイツ,共用部点検,廊下の照明,×,2階の1灯が切れている
青空ハイツ,設備点検,受水槽,－,
みどり荘,外壁・屋根・基礎,外壁のひび割れ,○,
みどり荘,外壁・屋根・基礎,屋根の破損,○,
みどり荘,共用部点検,廊下の照明,○,
みどり荘,設備点検,受水槽,○,清掃済み
""",
        met=["○"], partly_met=["△"], not_met=["×"], not_applicable=["－"],
    ),
    _layout(
        "devices (ja)", "機器点検結果.csv", "answer",
        {"機器分類": "category", "点検項目": "item_text/item_code", "判定": "verdict", "不備内容": "comment/description"},
        """
No,機器分類,製品名,点検項目,判定,不備内容
1,ノートPC,PC-A,ディスクが暗号化されている,良,
2,ノートPC,PC-A,画面ロックが設定されている,不良,10分以上で設定されている
3,サーバー,SV-1,不要なサービスが止まっている,良,
4,サーバー,SV-1,ログが保存されている,良,
5,ネットワーク,RT-9,初期パスワードが変更されている,不良,初期値のまま
""",
        met=["良"], not_met=["不良"],
    ),
    _layout(
        "check sheet (ja)", "チェック結果.csv", "answer",
        {"No.": "item_code", "チェック項目": "item_text", "判定": "verdict", "詳細": "comment"},
        """
No.,チェック項目,判定,詳細
1,委託契約書に秘密保持の条項がある,OK,
2,委託先の点検を年一回行っている,NG,前年度から行われていない
3,再委託の承認記録がある,対象外,再委託なし
4,返却・廃棄の証明を受け取っている,OK,
""",
        met=["OK"], not_met=["NG"], not_applicable=["対象外"],
    ),
    _layout(
        "properties (ja)", "照合レポート_2026-02-01.csv", "answer",
        {"物件No": "entity_code", "物件名": "entity_name", "チェック項目": "item_text/item_code", "ステータス": "verdict", "詳細": "comment"},
        """
物件No,物件名,チェック項目,ステータス,詳細
B-101,港ビル,図面の有無,適合,
B-101,港ビル,面積の一致,不適合,台帳と3㎡違う
B-101,港ビル,所有者の一致,適合,
B-102,駅前ビル,図面の有無,適合,
B-102,駅前ビル,面積の一致,適合,
B-102,駅前ビル,所有者の一致,未確認,登記を取り寄せ中
""",
        met=["適合"], not_met=["不適合"], not_answered=["未確認"],
    ),
    _layout(
        "site report (ja)", "report.csv", "answer",
        {"カテゴリ": "category", "ステータス": "verdict", "チェック項目": "item_text/item_code", "説明": "comment", "改善アクション": "action_description"},
        """
カテゴリ,ステータス,チェック項目,説明,改善アクション
アクセシビリティ,合格,画像に代替テキストがある,すべての画像にある,
アクセシビリティ,不合格,見出しの順序が正しい,h2 の前に h3 がある,見出しの階層を直す
構造,合格,タイトルがある,,
構造,要改善,説明文の長さ,短すぎる,120字程度にする
""",
        met=["合格"], partly_met=["要改善"], not_met=["不合格"],
    ),
    _layout(
        "ISMS audit form (ja)", "ISMS内部監査.csv", "answer",
        {"規格項目": "item_code/category/item_text/control_ref", "チェック内容": "item_text/item_code", "評価結果": "verdict", "備考": "comment"},
        """
ISO27001内部監査チェックリスト,,,
被監査部門：,開発部,監査日：,2025年11月12日
規格項目,チェック内容,評価結果,備考
4.1,外部及び内部の課題を決定しているか,適合,
4.2,利害関係者の要求事項を決定しているか,適合,
5.1,経営層がリーダーシップを示しているか,観察事項,会議の記録が一部ない
6.1,リスクアセスメントを定期的に行っているか,不適合,昨年度から行われていない
7.2,力量の記録があるか,－,今回は確認しない
""",
        met=["適合", "観察事項"], not_met=["不適合"], not_applicable=["－"],
    ),
    _layout(
        "nonconformities", "02_nonconformities.csv", "finding",
        {
            "ID": "finding_code", "Title": "description", "Severity": "severity", "Status": "status", "Corrective action": "action_description",
            "Responsible": "owner", "Due date": "due_on", "Effectiveness check": "effectiveness", "Closed at": "closed_on/completed_on",
        },
        """
ID,Title,Source,Severity,Status,Root cause,Corrective action,Responsible,Due date,Effectiveness check,Closed at
NC-001,Access reviews are not recorded,internal audit,major,closed,No owner was named,Name an owner and review each quarter,Anna Berg,2025-09-30,effective,2025-09-12
NC-002,Visitors are not logged,internal audit,minor,open,Reception is unstaffed on Fridays,Install a tablet,Jon Ek,2025-12-15,,
NC-003,Backup was not restored in tests,customer audit,minor,open,Test plan lacks the step,Add the step,Anna Berg,2026-01-31,,
""",
    ),
    _layout(
        "corrective action log", "Corrective Action Log.csv", "finding",
        {
            "Ref": "finding_code", "Raised": "raised_on", "Description": "description", "Corrective Action": "action_description", "Owner": "owner",
            "Due": "due_on", "Closed": "closed_on/completed_on",
        },
        """
Ref,Raised,Source,Description,Immediate Correction,Root Cause,Corrective Action,Owner,Due,Closed,Effectiveness Verified
NC-2026-001,12/01/2026,Customer complaint,Laptop was shipped unencrypted,Recalled,Image lacked the policy,Rebuild the image,IT,28/02/2026,20/02/2026,Yes
NC-2026-002,25/01/2026,Internal audit,Two leavers kept their accounts,Accounts disabled,HR feed failed,Monitor the feed,HR,15/03/2026,,
NC-2026-003,03/02/2026,Internal audit,Keys are not listed,Listed,No procedure,Write a procedure,Facilities,31/03/2026,,
""",
    ),
    _layout(
        "issue register", "issues_export.csv", "finding",
        {
            "ID": "finding_code", "Department": "entity_code/entity_name", "Description": "description", "Identified On": "raised_on",
            "Corrective Action": "action_description", "Action Owner": "owner", "Due Date": "due_on", "Status": "status",
        },
        """
ID,Department,Issue Category,Description,Identified On,Identified By,Root Cause,Corrective Action,Action Owner,Due Date,Status,Remarks
1,Billing,Access,Shared account is used for payments,10/20/2025,Reporter,Licences,Buy licences,L. Cruz,11/30/2025,Open,
2,Billing,Records,Contracts lie on open shelves,10/22/2025,Reporter,Space,Move to the archive,M. Diaz,12/05/2025,In Progress,half done
3,Sales,Access,Phones without a code,10/27/2025,Reporter,Old phones,Enrol in the MDM,L. Cruz,11/15/2025,Closed,
""",
    ),
    _layout(
        "clauses", "audit_report.csv", "answer",
        {"Clause": "item_code", "Objective": "item_text/category", "Description": "item_text", "Compliance Status": "verdict", "Observation": "comment"},
        """
Clause,Objective,Description,Compliance Status,Finding,Observation
A.5.1,Direction,Policies for information security are defined and approved.,Compliant,,Seen on the intranet
A.5.2,Organisation,Roles and responsibilities are defined and allocated.,Non-Compliant,Minor,Roles of the plant are missing
A.6.3,People,Personnel receive awareness education and training.,Compliant,,
A.8.8,Technology,Information about technical vulnerabilities is obtained.,Not Assessed,,
""",
        met=["Compliant"], not_met=["Non-Compliant"], not_answered=["Not Assessed"],
    ),
    _layout(
        "itemised compliance", "boq_compliance.csv", "answer",
        {"Item No": "item_code", "Description": "item_text", "Compliance Status": "verdict", "Findings": "comment/description", "Suggested Correction": "action_description"},
        """
"Item No","Description","Compliance Status","Findings","Suggested Correction"
"1.01","Fire doors are marked","COMPLIANT","",""
"1.02","Server room is locked","NON_COMPLIANT","Door was open","Fit a closer"
"1.03","Cables are labelled","PARTIAL","Third floor is not","Label them"
"2.01","Visitors are escorted","COMPLIANT","",""
""",
        met=["COMPLIANT"], not_met=["NON_COMPLIANT"], partly_met=["PARTIAL"],
    ),
    _layout(
        "contract clauses with a summary", "clause_report.csv", "answer",
        {
            "Clause ID": "item_code", "Clause Type": "category", "Framework": "checklist_code", "Compliance Status": "verdict", "Issues": "comment/description",
            "Clause Text (Preview)": "item_text",
        },
        """
Clause ID,Clause Type,Framework,Compliance Status,Risk Level,Confidence,Issues,Matched Requirements,Clause Text (Preview)
clause_001,Data Processing,GDPR,Compliant,Low,92.0%,None,Article 28,The processor shall act on instructions only
clause_002,Breach Notification,GDPR,Partially Compliant,Medium,81.5%,No deadline is named,Article 33,The processor shall notify breaches
clause_003,Sub-processors,GDPR,Non-Compliant,High,77.0%,No approval is needed,Article 28,The processor may engage others

SUMMARY
Document ID,contract_001
Overall Score,66.7%
""",
        met=["Compliant"], partly_met=["Partially Compliant"], not_met=["Non-Compliant"],
    ),
    _layout(
        "system assessments", "systems_export.csv", "answer",
        {
            "system_name": "entity_code/entity_name", "run_date": "performed_on", "dimension": "category", "control": "item_code", "question": "item_text",
            "answer": "verdict", "evidence_note": "has_evidence/comment",
        },
        """
system_name,version,type,environment,run_date,status,overall_score,dimension,control,question,answer,evidence_type,evidence_note
Payroll,2.1,internal,prod,2026-01-14,complete,82,Access,C-01,Are admin accounts personal?,yes,link,wiki/admins
Payroll,2.1,internal,prod,2026-01-14,complete,82,Access,C-02,Is MFA on for all users?,partial,link,wiki/mfa
Payroll,2.1,internal,prod,2026-01-14,complete,82,Logging,C-03,Are logs kept for a year?,no,,
Shop,5.0,customer,prod,2026-01-20,complete,64,Access,C-01,Are admin accounts personal?,yes,,
Shop,5.0,customer,prod,2026-01-20,complete,64,Access,C-02,Is MFA on for all users?,no,,
Shop,5.0,customer,prod,2026-01-20,complete,64,Logging,C-03,Are logs kept for a year?,na,,
""",
        met=["yes"], partly_met=["partial"], not_met=["no"], not_applicable=["na"],
    ),
    _layout(
        "store audits", "gps_audits.csv", "answer",
        {
            "Audit ID": "inspection_code", "Store Name": "entity_name", "Store Number": "entity_code", "Audit Date": "performed_on", "Score": "written_score",
            "Status": "verdict",
        },
        """
User Name,User Email,Audit ID,Store Name,Store Number,Store Address,Audit Date,Score,Status
Ana,ana@example.com,A-1,Harbour,S001,1 Quay,2025-05-02,92,Passed
Ben,ben@example.com,A-2,Market,S002,2 Square,2025-05-03,61,Failed
Ana,ana@example.com,A-3,Station,S003,3 Platform,2025-05-07,88,Passed
Cem,cem@example.com,A-4,Airport,S004,4 Gate,2025-05-09,90,Passed
""",
        met=["Passed"], not_met=["Failed"],
    ),
    _layout(
        "city inspections", "inspections.csv", "answer",
        {
            "Inspection ID": "inspection_code", "DBA Name": "entity_name/entity_code", "License #": "entity_code", "Inspection Date": "performed_on",
            "Results": "verdict", "Violations": "comment",
        },
        """
Inspection ID,DBA Name,AKA Name,License #,Facility Type,Risk,Address,Inspection Date,Inspection Type,Results,Violations
2100001,BLUE CAFE,BLUE CAFE,2230001,Restaurant,Risk 1 (High),1 W MAIN ST,03/14/2025,Canvass,Pass,
2100002,CORNER DELI,DELI,2230002,Grocery Store,Risk 2 (Medium),2 W MAIN ST,03/17/2025,Complaint,Fail,38. INSECTS PRESENT - DROPPINGS SEEN
2100003,GREEN BAR,GREEN BAR,2230003,Restaurant,Risk 3 (Low),3 W MAIN ST,03/21/2025,License,Pass w/ Conditions,55. FLOORS NOT CLEAN
2100004,OLD MILL,OLD MILL,2230004,Restaurant,Risk 1 (High),4 W MAIN ST,03/24/2025,Canvass,Out of Business,
""",
        met=["Pass"], partly_met=["Pass w/ Conditions"], not_met=["Fail"],
    ),
    _layout(
        "dealers", "dealers.csv", "entity",
        {"Dealer Code": "entity_code", "Dealer Name": "entity_name", "Governorate": "region_code"},
        """
Dealer Code,Dealer Name,Governorate,City,Tier,Capacity
D-001,Nile Motors,Giza,Giza,A,20
D-002,Delta Cars,Gharbia,Tanta,B,12
D-003,Sinai Auto,South Sinai,Dahab,C,4
""",
    ),
    _layout(
        "plan of checks (ja)", "inspection_plan.csv", "plan",
        {"設備ID": "entity_code", "次回点検日": "due_on"},
        """
計画ID,設備ID,点検項目,次回点検日,状態
1,EQ-01,法定点検,2026-05-31,予定
2,EQ-02,法定点検,2026-06-30,予定
3,EQ-03,月次点検,2026-04-30,予定
""",
    ),
    _layout(
        "checklist (ja)", "checklist.csv", "item",
        {"カテゴリ": "category", "チェック項目": "item_text/item_code"},
        """
カテゴリ,チェック項目,説明
セキュリティ,SQLインジェクション対策,バインド変数が使われているか確認する
性能,N+1クエリ,繰り返しの中で問い合わせていないか確認する
""",
    ),
    _layout(
        "line issues", "andon.csv", "finding",
        {"STATION": "entity_code/entity_name", "ISSUE": "description", "RAISED": "raised_on", "RESOLVED": "closed_on/completed_on", "CORRECTIVE ACTION": "action_description"},
        """
DATE,LINE,STATION,ISSUE,DETAILS,RAISED,ACKNOWLEDGED,RESOLVED,DOWNTIME,CAUSE,CORRECTIVE ACTION
2025-07-01,L1,ST-10,Guard open,Interlock bypassed,2025-07-01 08:10,2025-07-01 08:12,2025-07-01 09:00,50,Habit,Seal the interlock
2025-07-02,L1,ST-20,Badge shared,Two workers on one badge,2025-07-02 10:00,2025-07-02 10:05,2025-07-02 11:30,0,Lost badge,Issue badges at once
2025-07-03,L2,ST-10,Screen unlocked,Terminal left open,2025-07-03 13:20,2025-07-03 13:22,2025-07-03 13:30,0,Timeout off,Set the timeout
""",
    ),
    _layout(
        "audit issue tracker", "Audit Issues.csv", "finding",
        {
            "Audit Reference Number": "finding_code", "Observation Details": "description", "Report Date": "raised_on", "Priority": "severity",
            "Management Response": "action_description", "Target Date": "due_on", "Completion Date": "completed_on/closed_on",
            "Person Responsible": "owner", "Status": "status",
        },
        """
Audit Reference Number,Audit Report,Observations,Observation Details,Report Date,Priority,Recommendation,Management Response,Target Date,Revised Target Date,Completion Date,Person Responsible,Department of Person Responsible,Status
IA-25-01,Payroll,Access,Two leavers still had access to the payroll,14/02/2025,High,Remove it,The access was removed on the same day,31/03/2025,,20/03/2025,R. Moyo,HR,Closed
IA-25-02,Payroll,Backup,The backup was not restored in the year,14/02/2025,Medium,Restore it once a year,A test is planned for May,31/05/2025,30/06/2025,,T. Dube,IT,Open
IA-25-03,Stores,Keys,The list of keys is not kept up to date,28/04/2025,Low,Keep the list,The list will be kept by the guard,30/06/2025,,,K. Ncube,Facilities,Open
""",
    ),
    _layout(
        "management letter", "management_letter.csv", "finding",
        {
            "Issue Title": "description", "Severity": "severity", "Management Response": "action_description", "Responsible Officer": "owner",
            "Target Date": "due_on", "Status": "status",
        },
        """
Issue Title,Severity,Auditor Observation,Management Response,Responsible Officer,Target Date,Status
Shared passwords,High,Three clerks use one password,Personal accounts will be made,IT officer,2026-01-31,Open
Open cabinets,Low,Files lie in open cabinets,Locks were bought,Office manager,2025-11-30,Resolved
""",
    ),
    _layout(
        "property compliance", "compliance_inspections.csv", "answer",
        {"Requirement Code": "item_code", "Entity Reference": "entity_code", "Inspection Date": "performed_on", "Result": "verdict"},
        """
Requirement Code,Entity Type,Entity Reference,Inspector,Inspection Date,Result,Next Due Date
FIRE-1,property,P-001,A Contractor,2026-02-01,SATISFACTORY,2027-02-01
GAS-1,property,P-001,A Contractor,2026-02-01,UNSATISFACTORY,2026-03-01
FIRE-1,property,P-002,B Contractor,2026-02-03,SATISFACTORY,2027-02-03
GAS-1,property,P-002,B Contractor,2026-02-03,SATISFACTORY,2027-02-03
""",
        met=["SATISFACTORY"], not_met=["UNSATISFACTORY"],
    ),
    _layout(
        "cleaning scores", "deficient_items.csv", "answer",
        {
            "Line Item": "item_text/item_code", "Inspection Form": "checklist_code/category", "Area (Top Level)": "entity_code/entity_name/category",
            "Inspection Date": "performed_on", "Score": "written_score/verdict", "Comment": "comment",
        },
        """
Line Item,Inspection Form,Area (Full Path),Area (Top Level),Inspection Date,Score,Deficient,Inspector,Comment
Floor Care,Restroom Inspection,Riverside / Bldg A / Floor 2,Riverside,2026-01-15,25.0%,Yes,Maria Lopez,Floors not mopped in the east wing
Mirrors,Restroom Inspection,Riverside / Bldg A / Floor 2,Riverside,2026-01-15,100.0%,No,Maria Lopez,
Floor Care,Restroom Inspection,Hillside / Bldg B / Floor 1,Hillside,2026-01-16,75.0%,No,Jo Kim,
Mirrors,Restroom Inspection,Hillside / Bldg B / Floor 1,Hillside,2026-01-16,50.0%,Yes,Jo Kim,Streaks
""",
    ),
    _layout(
        "one column for each check", "vit-inspections.csv", "answer",
        {
            "Asset ID": "entity_code", "Inspection Date": "performed_on", "Clean/Dust Free": "verdict", "Protection Button Enabled": "verdict",
            "AC Power On": "verdict", "Handle Lock On": "verdict",
        },
        """
ID,Asset ID,Inspection Date,Clean/Dust Free,Protection Button Enabled,AC Power On,Handle Lock On,Remarks
1,VIT-001,2025-03-01,Yes,Yes,Yes,No,Lock is broken
2,VIT-002,2025-03-01,No,Yes,Yes,Yes,
3,VIT-003,2025-03-02,Yes,Yes,No,Yes,Power was cut
""",
        met=["Yes"], not_met=["No"],
    ),
    _layout(
        "facilities", "facility_results.csv", "answer",
        {"Facility Name": "entity_name/entity_code", "Inspection Date": "performed_on", "Type of Inspection": "inspection_type", "Result": "verdict"},
        """
Facility Name,Facility Type,Risk Level,Address,Zip Code,Inspection Date,Type of Inspection,Result,Number of Violations
Blue House,School,High,1 Main St,60601,2025-03-14,Internal Audit,Pass,0
Red House,School,Low,2 Main St,60602,2025-03-17,Internal Audit,Fail,3
Green House,Hospital,High,3 Main St,60603,2025-03-21,Internal Audit,Pass,1
""",
        met=["Pass"], not_met=["Fail"],
    ),
    _layout(
        "history of a facility (ja)", "点検履歴.csv", "answer",
        {"点検日": "performed_on", "点検種別": "inspection_type/category/item_code", "判定": "verdict"},
        """
点検履歴一覧,,,,,
施設名,中央公園管理棟,,,,

点検日,点検種別,点検業者,点検者,判定,ステータス
2025/04/01,自己点検,,山田,○,完了
2025/05/01,自己点検,,山田,×,完了
2025/06/01,相互点検,中央設備,鈴木,○,完了
2025/07/01,自己点検,,山田,○,確認待ち
""",
        met=["○"], not_met=["×"],
    ),
    _layout(
        "tests of a network (ja)", "業務確認試験.csv", "answer",
        {"項目": "item_text/item_code", "種類": "category", "合否": "verdict", "詳細": "comment"},
        """
項目,種類,宛先,プロキシ,合否,所要,詳細
社内ポータルが開く,Web,portal.example,なし,合格,0.3,
メールが送れる,メール,mail.example,なし,合格,1.2,
ファイル共有に書ける,共有,files.example,なし,不合格,5.0,権限がありません
外部サイトが遮断される,Web,blocked.example,あり,合格,0.1,
""",
        met=["合格"], not_met=["不合格"],
    ),
    _layout(
        "assessment template", "assessment_upload.csv", "answer",
        {"control_id": "item_code", "status": "verdict", "evidence": "has_evidence", "notes": "comment"},
        """
control_id,status,evidence,notes,alt_control_documented
AC-1,Implemented,true,,false
AC-2,Partially Implemented,true,half of the accounts,false
AC-3,Not Implemented,false,,true
AC-4,Not Applicable,false,no wireless,false
""",
        met=["Implemented"], partly_met=["Partially Implemented"], not_met=["Not Implemented"], not_applicable=["Not Applicable"],
    ),
    _layout(
        "gap matrix", "gap-matrix.csv", "answer",
        {"framework": "checklist_code", "control_id": "item_code", "status": "verdict", "evidence": "has_evidence", "owner": "owner"},
        """
framework,control_id,status,nc_class,finding_ids,severity_max,effort_days,deal_blocker,evidence,owner
ISO27001,A.5.1,conform,,,,,false,policy.pdf,CISO
ISO27001,A.5.2,non-conform,major,F-3,high,10,true,,HR
ISO27001,A.8.8,partial,minor,F-7;F-9,medium,4,false,scan.pdf,IT
ISO27001,A.7.4,not assessable,,,,,false,,
""",
        met=["conform"], partly_met=["partial"], not_met=["non-conform"], not_answered=["not assessable"],
    ),
    _layout(
        "controls of an organisation", "controls_export.csv", "answer",
        {"control_id": "item_code", "domain": "category", "title": "item_text", "status": "verdict", "notes": "comment"},
        """
control_id,domain,subdomain,title,description,status,maturity_level,notes
1-1-1,Governance,Strategy,A strategy is approved,The strategy is approved by the board and reviewed,Implemented,4,
1-2-1,Governance,Roles,A committee meets,The committee meets each quarter,Not Implemented,1,no chair yet
2-1-1,Defence,Assets,Assets are listed,All assets are listed with owners,Partially Implemented,2,servers only
2-2-1,Defence,Identity,MFA is used,MFA is used for remote access,Implemented,4,
""",
        met=["Implemented"], partly_met=["Partially Implemented"], not_met=["Not Implemented"],
    ),
)  # fmt: skip
