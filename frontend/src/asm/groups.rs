//! Groups of sections in the object, and sections that go with another one.
//!
//! A group is a section of its own in front of its first member; it lists the members and their
//! relocations. The index of its header is therefore known from that of the first member.

use std::collections::BTreeMap;

use bpf::insn::Endian;
use bpf::object::{Contents, SHT_GROUP, Section, SectionId, SymbolId};

use super::assembler::Assembler;
use super::relocate::PendingRelocation;
use super::symbols::SymbolIndex;

const GRP_COMDAT: u32 = 1;

impl Assembler<'_> {
    /// The group whose section stands in front of this one.
    pub fn group_before(&self, index: usize) -> Option<usize> {
        let number = self.sections.all.get(index)?.group?;
        let group = self.sections.groups.get(number)?;
        (group.first == index).then_some(number)
    }

    /// The header index of a group's section.
    pub fn group_id(&self, number: usize, ids: &[SectionId]) -> Option<SectionId> {
        let first = self.sections.groups.get(number)?.first;
        ids.get(first)?.0.checked_sub(1).map(SectionId)
    }

    /// A group's section.
    pub fn group_section(
        &self,
        number: usize,
        ids: &[SectionId],
        relocations: &[Vec<PendingRelocation>],
        indices: &BTreeMap<SymbolIndex, SymbolId>,
        link: u32,
    ) -> Section {
        let mut words = Vec::new();
        let mut section = Section::new(".group", SHT_GROUP);
        if let Some(group) = self.sections.groups.get(number) {
            words.push(if group.comdat { GRP_COMDAT } else { 0 });
            section.info = indices.get(&group.signature).map_or(0, |id| id.0);
            for &member in &group.members {
                let id = ids.get(member).map_or(0, |id| id.0);
                words.push(id);
                if relocations.get(member).is_some_and(|list| !list.is_empty()) {
                    words.push(id + 1);
                }
            }
        }
        section.align = 4;
        section.entry_size = 4;
        section.link = link;
        let bytes = words.iter().flat_map(|word| match self.options.endian {
            Endian::Little => word.to_le_bytes(),
            Endian::Big => word.to_be_bytes(),
        });
        section.contents = Contents::Bytes(bytes.collect());
        section
    }

    /// The header index of the section that a section goes with; 0 for none.
    pub fn goes_with(&self, index: usize, ids: &[SectionId]) -> u32 {
        let symbol = self.sections.all.get(index).and_then(|one| one.goes_with);
        let place = symbol
            .flatten()
            .and_then(|symbol| self.scope().place(symbol));
        let id = place.and_then(|place| ids.get(place.section));
        id.map_or(0, |id| id.0)
    }
}
