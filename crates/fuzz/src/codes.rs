//! Codes and numbers (编码): what people type and what stands in addresses and files.

use tb_base::{
    CaseId, CaseNo, CatalogCode, Cents, ClauseId, CustomsEntryNo, DivisionCode, HandleItemCode, LicenceId,
    LicenceOid, MessageId, NodeId, OfficeId, PersonId, ProjectCode, RealEstateUnitNo, ResidentId,
    ResourceCode, StaffId, TaskCode, Uscc,
};

use crate::{Target, same_again};

/// The readers of this file.
pub const TARGETS: &[Target] = &[
    Target { name: "codes", run: codes, seeds: code_seeds, mutations: 20_000 },
    Target { name: "ids", run: ids, seeds: id_seeds, mutations: 20_000 },
];

fn codes(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let next = tb_web::safe_next(Some(&text));
    assert!(
        next.starts_with('/') && !next.starts_with("//") && !next.contains('\\'),
        "{next} leaves the site"
    );
    CODES.iter().filter(|read| read(&text)).count() != 0
}

/// A reader of one kind of code, with what must hold of it.
type Read = fn(&str) -> bool;

const CODES: [Read; 15] = [
    same_again::<ResidentId>,
    same_again::<Uscc>,
    same_again::<DivisionCode>,
    same_again::<LicenceOid>,
    same_again::<CatalogCode>,
    same_again::<TaskCode>,
    same_again::<HandleItemCode>,
    same_again::<CaseNo>,
    same_again::<ProjectCode>,
    same_again::<ResourceCode>,
    same_again::<RealEstateUnitNo>,
    same_again::<CustomsEntryNo>,
    same_again::<Cents>,
    same_again::<ClauseId>,
    same_again::<tb_web::Network>,
];

fn code_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "430102199003070012",
        "43018119880808026X",
        "11430100MB9900001F",
        "91430100MA9T3X2015",
        "430102001003",
        "1.2.156.3005.2.11100000000013338W011.11430200MB9900002P.20210000012.001.7",
        "000117051000",
        "11440232MB2D06811W4000117051000",
        "11440232MB2D06811W400011705100001",
        "99999999999999999999999999999999999999999999999999",
        "2021-430100-78-01-123456",
        "307001/00012",
        "430102001001GB00001F00010001",
        "224920231000039191",
        "1234.56",
        "2.10",
        "10.1.0.0/16",
        "2001:db8::/32",
        "/cases/01kq3zt0000000000000000000?tab=2",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn ids(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    IDS.iter().filter(|read| read(&text)).count() != 0
}

const IDS: [Read; 9] = [
    same_again::<NodeId>,
    same_again::<OfficeId>,
    same_again::<CaseId>,
    same_again::<PersonId>,
    same_again::<StaffId>,
    same_again::<LicenceId>,
    same_again::<MessageId>,
    same_again::<tb_licence::consent::ConsentId>,
    same_again::<tb_licence::present::Code>,
];

fn id_seeds() -> Vec<Vec<u8>> {
    let texts =
        ["430100", "430100-transport", "01kq3zt0000000000000000000", "T1.430100.0123456789ABCDEFGHJKMNPQRS"];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that takes none of the seeds would be bent at its first letter only.
    #[test]
    fn every_code_has_a_seed_that_it_reads() {
        for (readers, seeds) in [(&CODES[..], code_seeds()), (&IDS[..], id_seeds())] {
            let reads = |read: &Read| seeds.iter().any(|seed| read(&String::from_utf8_lossy(seed)));
            let without: Vec<usize> = (0..readers.len()).filter(|at| !reads(&readers[*at])).collect();
            assert!(without.is_empty(), "no seed for the readers {without:?}");
        }
    }
}
