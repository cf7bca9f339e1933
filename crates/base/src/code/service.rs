//! Codes of service items, cases, projects and resources (事项、办件、项目、资源编码).
//!
//! Lengths follow the national platform (12 and 31), not the older 10 and 24 of GB/T 39046-2020.
//! Serves clauses 1.4, 1.8, 2.1, 2.8.

use std::str::FromStr;

use jiff::civil::Date;

use super::division::is_digits;
use super::{
    BadDivision, BadUscc, DivisionCode, Uscc, as_debug, as_text, first_bad, is_code_letter, part, reasons,
    text_code,
};

const CATALOG_LETTERS: usize = 12;
const TASK_LETTERS: usize = 31;
const HANDLE_LETTERS: usize = 33;
const CASE_LETTERS_MAX: usize = 50;
const PROJECT_LETTERS: usize = 24;
const RESOURCE_LETTERS_MAX: usize = 64;

reasons! {
    /// Why a text is no catalogue code (基本编码).
    pub enum BadCatalogCode {
        /// Not 12 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-CAT-001", ("基本编码应为 12 位，现为 {letters} 位"), ("A catalogue code has 12 letters, this has {letters}");
        /// Neither digit nor capital.
        Letter {
            /// Its place, from 0.
            at: usize
        } => "BAS-CAT-002", ("基本编码第 {} 位不是数字或大写字母", at + 1), ("Letter {} of the catalogue code is neither digit nor capital", at + 1);
    }
}

text_code! {
    /// An item's code in the national catalogue (基本编码): region 3, department 3, main item 3, sub-item 3.
    CatalogCode, BadCatalogCode
}

impl CatalogCode {
    /// `000` for the national catalogue, else the province (and its level) that defined the item.
    pub fn definer(&self) -> &str {
        part(&self.0, 0, 3)
    }

    /// Whether the state defined the item for the whole country (国家级基本目录).
    pub fn is_national(&self) -> bool {
        self.definer() == "000"
    }

    /// The three letters of the department (部门代码).
    pub fn department(&self) -> &str {
        part(&self.0, 3, 6)
    }

    /// The three letters of the main item (主项).
    pub fn main_item(&self) -> &str {
        part(&self.0, 6, 9)
    }

    /// The three letters of the sub-item (子项); `000` for none.
    pub fn sub_item(&self) -> &str {
        part(&self.0, 9, CATALOG_LETTERS)
    }
}

impl FromStr for CatalogCode {
    type Err = BadCatalogCode;

    fn from_str(text: &str) -> Result<CatalogCode, BadCatalogCode> {
        let letters = text.chars().count();
        if letters != CATALOG_LETTERS {
            return Err(BadCatalogCode::Length { letters });
        }
        match first_bad(text, is_code_letter) {
            Some(at) => Err(BadCatalogCode::Letter { at }),
            None => Ok(CatalogCode(text.to_owned())),
        }
    }
}

reasons! {
    /// Why a text is no implementation code (实施编码).
    pub enum BadTaskCode {
        /// Not 31 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-TSK-001", ("实施编码应为 31 位，现为 {letters} 位"), ("An implementation code has 31 letters, this has {letters}");
        /// The first 18 letters are no credit code.
        Body {
            /// What is wrong with it.
            reason: BadUscc
        } => "BAS-TSK-002", ("实施编码前 18 位应为实施主体统一社会信用代码：{reason}"), ("The first 18 letters must be the credit code of the implementing body: {reason}");
        /// The 19th letter is no level of exercise.
        Level => "BAS-TSK-003", ("实施编码第 19 位应为行使层级 1 至 7"), ("Letter 19 of the implementation code is the level of exercise, 1 to 7");
        /// The last 12 letters are no catalogue code.
        Catalog {
            /// What is wrong with it.
            reason: BadCatalogCode
        } => "BAS-TSK-004", ("实施编码后 12 位应为基本编码：{reason}"), ("The last 12 letters must be a catalogue code: {reason}");
    }
}

text_code! {
    /// An item as one body implements it (实施编码): credit code 18, level 1, catalogue code 12.
    TaskCode, BadTaskCode
}

impl TaskCode {
    /// Joins body, level of exercise (行使层级, GB/T 39046 A.2: 1 to 7) and catalogue code.
    pub fn new(body: &Uscc, level: u8, catalog: &CatalogCode) -> Result<TaskCode, BadTaskCode> {
        format!("{body}{level}{catalog}").parse()
    }

    /// The credit code of the implementing body (实施主体).
    pub fn body(&self) -> &str {
        part(&self.0, 0, 18)
    }

    /// The level of exercise (行使层级): 2 province, 3 city, 4 county.
    pub fn level(&self) -> u8 {
        part(&self.0, 18, 19).parse().unwrap_or(0)
    }

    /// The code of the item in the catalogue (基本编码).
    pub fn catalog(&self) -> CatalogCode {
        CatalogCode(part(&self.0, 19, TASK_LETTERS).to_owned())
    }
}

impl FromStr for TaskCode {
    type Err = BadTaskCode;

    fn from_str(text: &str) -> Result<TaskCode, BadTaskCode> {
        let letters = text.chars().count();
        if letters != TASK_LETTERS {
            return Err(BadTaskCode::Length { letters });
        }
        part(text, 0, 18).parse::<Uscc>().map_err(|reason| BadTaskCode::Body { reason })?;
        if !matches!(part(text, 18, 19), "1" | "2" | "3" | "4" | "5" | "6" | "7") {
            return Err(BadTaskCode::Level);
        }
        let catalog = part(text, 19, TASK_LETTERS).parse::<CatalogCode>();
        catalog.map_err(|reason| BadTaskCode::Catalog { reason })?;
        Ok(TaskCode(text.to_owned()))
    }
}

reasons! {
    /// Why a text is no code of a handled item (业务办理项编码).
    pub enum BadHandleItem {
        /// Not 33 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-HND-001", ("业务办理项编码应为 33 位，现为 {letters} 位"), ("A handled item's code has 33 letters, this has {letters}");
        /// The first 31 letters are no implementation code.
        Task {
            /// What is wrong with it.
            reason: BadTaskCode
        } => "BAS-HND-002", ("业务办理项编码前 31 位应为实施编码：{reason}"), ("The first 31 letters must be an implementation code: {reason}");
        /// The last two letters are no digits.
        Sequence => "BAS-HND-003", ("业务办理项编码末 2 位应为数字"), ("The last two letters of a handled item's code are digits");
    }
}

text_code! {
    /// One way of handling an item (业务办理项编码): implementation code and two digits.
    HandleItemCode, BadHandleItem
}

impl HandleItemCode {
    /// The implementation code (实施编码) that it belongs to.
    pub fn task(&self) -> TaskCode {
        TaskCode(part(&self.0, 0, TASK_LETTERS).to_owned())
    }
}

impl FromStr for HandleItemCode {
    type Err = BadHandleItem;

    fn from_str(text: &str) -> Result<HandleItemCode, BadHandleItem> {
        let letters = text.chars().count();
        if letters != HANDLE_LETTERS {
            return Err(BadHandleItem::Length { letters });
        }
        if !text.is_ascii() {
            return Err(BadHandleItem::Sequence);
        }
        let task = part(text, 0, TASK_LETTERS).parse::<TaskCode>();
        task.map_err(|reason| BadHandleItem::Task { reason })?;
        if !is_digits(part(text, TASK_LETTERS, HANDLE_LETTERS)) {
            return Err(BadHandleItem::Sequence);
        }
        Ok(HandleItemCode(text.to_owned()))
    }
}

reasons! {
    /// Why a text is no case number (办件编号).
    pub enum BadCaseNo {
        /// Empty or longer than 50 letters.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-CNO-001", ("办件编号应为 1 至 50 位，现为 {letters} 位"), ("A case number has 1 to 50 letters, this has {letters}");
        /// Neither digit, capital nor hyphen.
        Letter {
            /// Its place, from 0.
            at: usize
        } => "BAS-CNO-002", ("办件编号第 {} 位不是数字、大写字母或连字符", at + 1), ("Letter {} of the case number is neither digit, capital nor hyphen", at + 1);
        /// The running number of the day does not fit in four digits.
        Sequence {
            /// The number that was to be written.
            sequence: u32
        } => "BAS-CNO-003", ("办件当日流水号应为 1 至 9999，现为 {sequence}"), ("The running number of the day is 1 to 9999, this is {sequence}");
    }
}

text_code! {
    /// The number that a case is known by (办件编号), up to 50 letters.
    CaseNo, BadCaseNo
}

impl CaseNo {
    /// Implementation code, day and running number of the day: 43 letters.
    pub fn new(task: &TaskCode, day: Date, sequence: u32) -> Result<CaseNo, BadCaseNo> {
        if !(1..=9_999).contains(&sequence) {
            return Err(BadCaseNo::Sequence { sequence });
        }
        format!("{task}{:04}{:02}{:02}{sequence:04}", day.year(), day.month(), day.day()).parse()
    }
}

impl FromStr for CaseNo {
    type Err = BadCaseNo;

    fn from_str(text: &str) -> Result<CaseNo, BadCaseNo> {
        let letters = text.chars().count();
        if letters == 0 || CASE_LETTERS_MAX < letters {
            return Err(BadCaseNo::Length { letters });
        }
        match first_bad(text, |letter| is_code_letter(letter) || letter == b'-') {
            Some(at) => Err(BadCaseNo::Letter { at }),
            None => Ok(CaseNo(text.to_owned())),
        }
    }
}

reasons! {
    /// Why a text is no code of an investment project (投资项目统一代码).
    pub enum BadProjectCode {
        /// Not 24 letters long.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-PRJ-001", ("投资项目统一代码应为 24 位（含 4 个连字符），现为 {letters} 位"), ("A project code has 24 letters with 4 hyphens, this has {letters}");
        /// Hyphens and digits do not stand where they should.
        Layout => "BAS-PRJ-002", ("投资项目统一代码格式应为 年份4-区划6-行业2-类型2-流水6"), ("A project code reads year4-division6-industry2-type2-sequence6");
        /// The year cannot be.
        Year => "BAS-PRJ-003", ("投资项目统一代码的年份应在 2000 至 2099 之间"), ("The year of a project code lies between 2000 and 2099");
        /// The division is no division code.
        Division {
            /// What is wrong with it.
            reason: BadDivision
        } => "BAS-PRJ-004", ("投资项目统一代码的行政区划有误：{reason}"), ("The division in the project code is wrong: {reason}");
    }
}

text_code! {
    /// The code of an investment project (投资项目统一代码): `2021-430100-78-01-123456`.
    ProjectCode, BadProjectCode
}

impl ProjectCode {
    /// The year of the code's issue (赋码年份).
    pub fn year(&self) -> i16 {
        part(&self.0, 0, 4).parse().unwrap_or(0)
    }

    /// The six digits of the place of the project (建设地点).
    pub fn division(&self) -> &str {
        part(&self.0, 5, 11)
    }

    /// The two digits of the industry (行业).
    pub fn industry(&self) -> &str {
        part(&self.0, 12, 14)
    }

    /// The two digits of the type: approved, confirmed, filed (审批、核准、备案).
    pub fn kind(&self) -> &str {
        part(&self.0, 15, 17)
    }
}

impl FromStr for ProjectCode {
    type Err = BadProjectCode;

    fn from_str(text: &str) -> Result<ProjectCode, BadProjectCode> {
        let letters = text.chars().count();
        if letters != PROJECT_LETTERS {
            return Err(BadProjectCode::Length { letters });
        }
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        if lengths != [4, 6, 2, 2, 6] || !parts.iter().all(|part| is_digits(part)) {
            return Err(BadProjectCode::Layout);
        }
        if !text.starts_with("20") {
            return Err(BadProjectCode::Year);
        }
        let division = part(text, 5, 11).parse::<DivisionCode>();
        division.map_err(|reason| BadProjectCode::Division { reason })?;
        Ok(ProjectCode(text.to_owned()))
    }
}

reasons! {
    /// Why a text is no resource code (政务信息资源代码).
    pub enum BadResourceCode {
        /// Longer than 64 letters.
        Length {
            /// How many there are.
            letters: usize
        } => "BAS-RSC-001", ("政务信息资源代码最长 64 位，现为 {letters} 位"), ("A resource code has up to 64 letters, this has {letters}");
        /// No slash, or more than one.
        Slash => "BAS-RSC-002", ("政务信息资源代码应有且只有一个“/”分隔分类和流水号"), ("A resource code has exactly one slash between class and sequence");
        /// The first digit is not 1, 2 or 3.
        Kind => "BAS-RSC-003", ("政务信息资源代码第 1 位应为 1 基础、2 主题或 3 部门"), ("The first digit is 1 basic, 2 thematic or 3 departmental");
        /// Class (项 2, 目 3, 细目) is too short or holds something else than digits.
        Class => "BAS-RSC-004", ("政务信息资源代码分类部分应为数字：类 1、项 2、目 3 及细目"), ("The class is digits: kind 1, group 2, subgroup 3 and details");
        /// The sequence is empty or holds something else than digits.
        Sequence => "BAS-RSC-005", ("政务信息资源代码流水号应为数字"), ("The sequence of a resource code is digits");
    }
}

/// The class of a resource (资源大类).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// 基础信息资源.
    Basic,
    /// 主题信息资源.
    Thematic,
    /// 部门信息资源.
    Departmental,
}

text_code! {
    /// The code of a government information resource (政务信息资源代码): `3070010001/00012`.
    ResourceCode, BadResourceCode
}

impl ResourceCode {
    /// The class of the resource (类).
    pub fn kind(&self) -> ResourceKind {
        match self.0.as_bytes().first() {
            Some(b'1') => ResourceKind::Basic,
            Some(b'2') => ResourceKind::Thematic,
            _ => ResourceKind::Departmental,
        }
    }

    /// Everything before the slash (类、项、目、细目).
    pub fn class(&self) -> &str {
        self.0.split('/').next().unwrap_or("")
    }
}

impl FromStr for ResourceCode {
    type Err = BadResourceCode;

    fn from_str(text: &str) -> Result<ResourceCode, BadResourceCode> {
        let letters = text.chars().count();
        if RESOURCE_LETTERS_MAX < letters {
            return Err(BadResourceCode::Length { letters });
        }
        let (class, sequence) = text.split_once('/').ok_or(BadResourceCode::Slash)?;
        if sequence.contains('/') {
            return Err(BadResourceCode::Slash);
        }
        if !class.starts_with(['1', '2', '3']) {
            return Err(BadResourceCode::Kind);
        }
        // 类 1, 项 2, 目 3; the details after them may be missing.
        if class.len() < 6 || !is_digits(class) {
            return Err(BadResourceCode::Class);
        }
        if !is_digits(sequence) {
            return Err(BadResourceCode::Sequence);
        }
        Ok(ResourceCode(text.to_owned()))
    }
}
